// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "interpret.h"

static const struct ast_condition *find_every(const struct ast_condition *condition)
{
	const struct ast_condition *found = NULL;

	if (condition->kind == AST_CONDITION_EVERY)
		return condition;
	for (const struct ast_condition *c = condition->operands; c && !found; c = c->next)
		found = find_every(c);
	return found;
}

void interpret_init(struct interpreter *in, const struct ast_policy *policy,
		    const uint64_t *backend_sectors, unsigned int block)
{
	unsigned int nr = 0;

	*in = (struct interpreter){
		.policy = policy,
		.backend_sectors = backend_sectors,
		.block = block,
		.rules = calloc(policy->nr_rules, sizeof(*in->rules)),
		.every = calloc(policy->nr_rules, sizeof(*in->every)),
		.ticks = calloc(policy->nr_rules, sizeof(*in->ticks)),
		.drawn = calloc(policy->nr_rules, sizeof(*in->drawn)),
	};
	if (!in->rules || !in->every || !in->ticks || !in->drawn)
		abort();
	for (const struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		in->rules[nr] = rule;
		in->every[nr++] = rule->condition ? find_every(rule->condition) : NULL;
	}
	in->dev_sectors = interpret_size(in);
}

void interpret_free(struct interpreter *in)
{
	free(in->rules);
	free(in->every);
	free(in->ticks);
	free(in->drawn);
}

/* A rule counts a request that nothing but the tick decides, and counts it once */
static bool tick(struct interpreter *in, unsigned int index)
{
	if (in->drawn[index] < 0)
		in->drawn[index] =
			++in->ticks[index] % interpret_value(in, &in->every[index]->value) == 0;
	return in->drawn[index];
}

static bool matches(struct interpreter *in, unsigned int index,
		    const struct interpret_request *request, uint64_t sector)
{
	const struct ast_condition *condition = in->rules[index]->condition;
	bool with, without;

	if (request->op == UBLK_IO_OP_FLUSH && (!condition || !interpret_names_flush(condition)))
		return false;
	if (!condition)
		return true;
	with = interpret_holds(in, condition, request, sector, true);
	if (!in->every[index])
		return with;
	without = interpret_holds(in, condition, request, sector, false);
	return with == without ? with : tick(in, index) ? with : without;
}

/* Of @request, which interpret_request() or interpret_flush() has begun */
static struct interpret_place place_of(struct interpreter *in,
				       const struct interpret_request *request, uint64_t sector)
{
	struct interpret_place place = { .rule = INTERPRET_NO_RULE, .error = EIO };

	for (unsigned int i = 0; i < in->policy->nr_rules; i++) {
		if (!matches(in, i, request, sector))
			continue;
		place.rule = i;
		interpret_target(in, in->rules[i], sector, request->op != UBLK_IO_OP_READ, &place);
		break;
	}
	return place;
}

struct interpret_place interpret_place_of(struct interpreter *in,
					  const struct interpret_request *request, uint64_t sector)
{
	memset(in->drawn, 0, in->policy->nr_rules);
	return place_of(in, request, sector);
}

int interpret_request(struct interpreter *in, const struct interpret_request *request,
		      struct interpret_place *places)
{
	int result = UBLK_BPF_SUBMIT;

	memset(in->drawn, -1, in->policy->nr_rules);
	for (uint32_t i = 0; i < request->sectors; i++) {
		places[i] = place_of(in, request, request->sector + i);
		if (places[i].kind == INTERPRET_ERROR)
			return -places[i].error;
		if (places[i].kind == INTERPRET_USER)
			result = UBLK_BPF_REDIRECT;
	}
	return result;
}

/* Can this rule's backends hold what was written? */
static bool may_write(const struct interpreter *in, const struct ast_condition *condition)
{
	static const unsigned int ops[] = {
		UBLK_IO_OP_WRITE,
		UBLK_IO_OP_DISCARD,
		UBLK_IO_OP_WRITE_ZEROES,
	};

	if (!condition)
		return true;
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		for (uint64_t sector = 0; sector < in->dev_sectors; sector += in->block) {
			if (interpret_may_hold(in, condition, ops[i], sector) != INTERPRET_NEVER)
				return true;
		}
	}
	return false;
}

static uint64_t backends_of(const struct ast_action *action)
{
	uint64_t backends = 0;

	if (action->kind == AST_ACTION_ERROR)
		return 0;
	for (const struct ast_name *name = action->names; name; name = name->next)
		backends |= 1ULL << name->index;
	return backends;
}

int interpret_flush(struct interpreter *in, const struct interpret_request *request,
		    uint64_t *backends)
{
	struct interpret_place place;

	*backends = 0;
	memset(in->drawn, -1, in->policy->nr_rules);
	place = place_of(in, request, 0);
	if (place.rule != INTERPRET_NO_RULE && place.kind == INTERPRET_ERROR)
		return -place.error;
	if (place.kind == INTERPRET_USER)
		return UBLK_BPF_REDIRECT;
	for (unsigned int i = 0; i < in->policy->nr_rules; i++) {
		const struct ast_rule *rule = in->rules[i];
		bool is_meant = place.rule == INTERPRET_NO_RULE ? may_write(in, rule->condition)
								: (int)i == place.rule;

		if (is_meant)
			*backends |= backends_of(rule->action);
	}
	return UBLK_BPF_SUBMIT;
}

bool interpret_flush_is_safe(const struct interpreter *in)
{
	enum interpret_maybe maybe = INTERPRET_NEVER;
	uint64_t written = 0;

	for (unsigned int i = 0; i < in->policy->nr_rules; i++) {
		if (may_write(in, in->rules[i]->condition))
			written |= backends_of(in->rules[i]->action);
	}
	for (unsigned int i = 0; i < in->policy->nr_rules && maybe != INTERPRET_ALWAYS; i++) {
		const struct ast_rule *rule = in->rules[i];

		if (!rule->condition || !interpret_names_flush(rule->condition))
			continue;
		maybe = interpret_may_hold(in, rule->condition, UBLK_IO_OP_FLUSH, 0);
		if (maybe != INTERPRET_NEVER && rule->action->kind != AST_ACTION_ERROR &&
		    rule->action->kind != AST_ACTION_USER && written & ~backends_of(rule->action))
			return false;
	}
	return true;
}

unsigned int interpret_possible(struct interpreter *in, unsigned int op, uint64_t sector,
				struct interpret_place *places)
{
	enum interpret_maybe maybe = INTERPRET_NEVER;
	unsigned int nr = 0;

	for (unsigned int i = 0; i < in->policy->nr_rules && maybe != INTERPRET_ALWAYS; i++) {
		const struct ast_rule *rule = in->rules[i];

		maybe = rule->condition ? interpret_may_hold(in, rule->condition, op, sector)
					: INTERPRET_ALWAYS;
		if (maybe == INTERPRET_NEVER)
			continue;
		places[nr] = (struct interpret_place){ .rule = i };
		interpret_target(in, rule, sector, op != UBLK_IO_OP_READ, &places[nr]);
		nr++;
	}
	if (maybe != INTERPRET_ALWAYS)
		places[nr++] = (struct interpret_place){ .rule = INTERPRET_NO_RULE, .error = EIO };
	return nr;
}

static bool ranges_are_valid(const struct interpreter *in, const struct ast_range *ranges)
{
	struct interpret_walk walk = { .next = ranges };

	while (interpret_next_range(in, &walk)) {
		if (walk.first >= walk.last || walk.last > in->dev_sectors ||
		    walk.first % in->block || walk.last % in->block)
			return false;
	}
	return true;
}

static bool condition_is_valid(const struct interpreter *in, const struct ast_condition *condition)
{
	if (condition->kind == AST_CONDITION_LBA)
		return ranges_are_valid(in, condition->ranges);
	for (const struct ast_condition *c = condition->operands; c; c = c->next) {
		if (!condition_is_valid(in, c))
			return false;
	}
	return true;
}

bool interpret_ranges_are_valid(const struct interpreter *in)
{
	for (unsigned int i = 0; i < in->policy->nr_rules; i++) {
		if (in->rules[i]->condition && !condition_is_valid(in, in->rules[i]->condition))
			return false;
	}
	return true;
}
