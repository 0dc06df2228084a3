// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "random_policy.h"

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t limit)
{
	return random_next() % limit;
}

static bool random_chance(unsigned int percent)
{
	return random_below(100) < percent;
}

static struct random_bound random_bound_at(const struct random_policy *policy, uint64_t dev)
{
	struct random_bound bound = { .unit = random_below(3) };

	if (bound.unit == RANDOM_PERCENT) {
		bound.value = random_chance(50) ? random_below(21) * 500 : random_below(10001);
		return bound;
	}
	/* Both block sizes of the test are whole sectors, one of them whole KiB */
	bound.value = random_below(dev / policy->block + 1) * policy->block;
	if (bound.unit == RANDOM_KIB && bound.value % 2)
		bound.unit = RANDOM_SECTORS;
	return bound;
}

/* The order of the ends is right for devices of @dev sectors, most of the time */
static void random_range_draw(const struct random_policy *policy, struct random_range *range,
			      uint64_t dev)
{
	struct random_bound swap;

	range->first = random_bound_at(policy, dev);
	range->last = random_bound_at(policy, dev);
	/* A unit at one end only is an error or means something else */
	if (range->first.unit != range->last.unit) {
		range->first.unit = RANDOM_SECTORS;
		range->last.unit = RANDOM_SECTORS;
		range->first.value = random_below(dev / policy->block) * policy->block;
		range->last.value = random_below(dev / policy->block) * policy->block;
	}
	if (range->first.value > range->last.value) {
		swap = range->first;
		range->first = range->last;
		range->last = swap;
	}
	if (range->first.value == range->last.value) {
		range->first = (struct random_bound){ .unit = RANDOM_SECTORS };
		range->last = (struct random_bound){ .unit = RANDOM_END };
	} else if (random_chance(10)) {
		range->last = (struct random_bound){ .unit = RANDOM_END };
	}
}

static void random_legs_draw(const struct random_policy *policy, struct random_rule *rule)
{
	unsigned int order[RANDOM_MAX_BACKENDS] = { 0 };

	for (unsigned int i = 0; i < policy->nr_backends; i++) {
		unsigned int at = random_below(i + 1);

		order[i] = order[at];
		order[at] = i;
	}
	rule->nr_legs =
		rule->action == RANDOM_STRIPE ? 2 + random_below(policy->nr_backends - 1) : 1;
	memcpy(rule->legs, order, sizeof(order));
}

static void random_action_draw(const struct random_policy *policy, struct random_rule *rule,
			       enum random_action kind, uint64_t dev)
{
	static const int errors[] = { EIO, ENOSPC, EROFS, EOPNOTSUPP };

	rule->action = random_chance(12) ? RANDOM_ERROR : kind;
	if (rule->action == RANDOM_ERROR) {
		rule->error = errors[random_below(4)];
		return;
	}
	random_legs_draw(policy, rule);
	rule->chunk = policy->block * (1 + random_below(40));
	if (policy->size && rule->nr_ranges && random_chance(30)) {
		rule->has_at = true;
		rule->at = random_below(3 * dev / policy->block) * policy->block;
	}
}

static void random_ops_draw(struct random_rule *rule)
{
	rule->has_ops = true;
	rule->reads = random_chance(50);
	rule->writes = !rule->reads || random_chance(40);
	if (!rule->nr_ranges)
		rule->flushes = random_chance(30);
}

static void random_rule_draw(const struct random_policy *policy, struct random_rule *rule,
			     enum random_action kind, bool draw_ops, uint64_t dev)
{
	rule->nr_ranges = random_chance(85) ? 1 + random_below(RANDOM_MAX_RANGES) : 0;
	for (unsigned int i = 0; i < rule->nr_ranges; i++)
		random_range_draw(policy, &rule->ranges[i], dev);
	if (draw_ops && random_chance(25))
		random_ops_draw(rule);
	if (!rule->has_ops) {
		rule->reads = true;
		rule->writes = true;
		rule->is_default = !rule->nr_ranges;
	}
	random_action_draw(policy, rule, kind, dev);
}

void random_policy_draw(struct random_policy *policy)
{
	uint64_t dev = 64 + random_below(6000);
	bool draw_ops = random_chance(40);
	unsigned int kinds = random_below(3); /* backends, stripes, both */

	*policy = (struct random_policy){ .block = random_chance(30) ? 8 : 1 };
	policy->declares_block = policy->block == 8 && random_chance(50);
	dev = dev / policy->block * policy->block;
	policy->size = kinds == 2 || random_chance(60) ? dev : 0;

	policy->nr_backends = 2 + random_below(RANDOM_MAX_BACKENDS - 1);
	for (unsigned int i = 0; i < policy->nr_backends; i++) {
		uint64_t more = random_chance(90) ? 4 * dev : random_below(dev);

		policy->backend_sectors[i] = (policy->size ? more : dev / 2 + random_below(dev)) /
					     policy->block * policy->block;
	}

	policy->nr_rules = 1 + random_below(RANDOM_MAX_RULES);
	for (unsigned int i = 0; i < policy->nr_rules; i++)
		random_rule_draw(policy, &policy->rules[i], kinds == 2 ? random_below(2) : kinds,
				 draw_ops, dev);
}

static void random_bound_print(const struct random_bound *bound, FILE *out)
{
	switch (bound->unit) {
	case RANDOM_SECTORS:
		fprintf(out, "%llu", (unsigned long long)bound->value);
		break;
	case RANDOM_KIB:
		if (bound->value)
			fprintf(out, "%lluKiB", (unsigned long long)bound->value / 2);
		else
			fprintf(out, "0");
		break;
	case RANDOM_PERCENT:
		fprintf(out, "%llu.%02llu%%", (unsigned long long)bound->value / 100,
			(unsigned long long)bound->value % 100);
		break;
	case RANDOM_END:
		fprintf(out, "end");
		break;
	}
}

static void random_condition_print(const struct random_rule *rule, FILE *out)
{
	const char *separator = "";

	if (rule->is_default)
		fprintf(out, "default ");
	for (unsigned int i = 0; i < rule->nr_ranges; i++) {
		fprintf(out, i ? ", " : "LBA ");
		random_bound_print(&rule->ranges[i].first, out);
		fprintf(out, "-");
		random_bound_print(&rule->ranges[i].last, out);
	}
	if (rule->nr_ranges)
		fprintf(out, " ");
	if (!rule->has_ops)
		return;
	if (rule->reads) {
		fprintf(out, "read");
		separator = ", ";
	}
	if (rule->writes) {
		fprintf(out, "%swrite", separator);
		separator = ", ";
	}
	if (rule->flushes)
		fprintf(out, "%sflush", separator);
	fprintf(out, " ");
}

static void random_action_print(const struct random_rule *rule, FILE *out)
{
	switch (rule->action) {
	case RANDOM_BACKEND:
		fprintf(out, "b%u", rule->legs[0]);
		break;
	case RANDOM_STRIPE:
		fprintf(out, "stripe %llu {", (unsigned long long)rule->chunk);
		for (unsigned int i = 0; i < rule->nr_legs; i++)
			fprintf(out, " b%u", rule->legs[i]);
		fprintf(out, " }");
		break;
	case RANDOM_ERROR:
		fprintf(out, "error %s", strerrorname_np(rule->error));
		break;
	}
	if (rule->has_at)
		fprintf(out, " @ %llu", (unsigned long long)rule->at);
}

void random_policy_print(const struct random_policy *policy, FILE *out)
{
	if (policy->size)
		fprintf(out, "size %llu\n", (unsigned long long)policy->size);
	if (policy->declares_block)
		fprintf(out, "block %lluB\n", (unsigned long long)policy->block * 512);
	for (unsigned int i = 0; i < policy->nr_backends; i++)
		fprintf(out, "backend b%u\n", i);
	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		random_condition_print(&policy->rules[i], out);
		fprintf(out, "-> ");
		random_action_print(&policy->rules[i], out);
		fprintf(out, "\n");
	}
}
