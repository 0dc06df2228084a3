// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "reference.h"

static bool reference_takes_part(const struct random_rule *rule)
{
	return rule->action != RANDOM_ERROR && (rule->reads || rule->writes);
}

static uint64_t reference_size(const struct random_policy *policy)
{
	uint64_t smallest = UINT64_MAX;

	if (policy->size)
		return policy->size;
	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		const struct random_rule *rule = &policy->rules[i];
		uint64_t leg = UINT64_MAX;

		if (!reference_takes_part(rule))
			continue;
		for (unsigned int k = 0; k < rule->nr_legs; k++) {
			if (policy->backend_sectors[rule->legs[k]] < leg)
				leg = policy->backend_sectors[rule->legs[k]];
		}
		if (rule->action == RANDOM_STRIPE)
			leg = (leg - leg % rule->chunk) * rule->nr_legs;
		if (leg < smallest)
			smallest = leg;
	}
	return smallest == UINT64_MAX ? 0 : smallest - smallest % policy->block;
}

static uint64_t reference_bound(const struct random_policy *policy,
				const struct random_bound *bound, uint64_t dev)
{
	uint64_t sector = bound->value;

	if (bound->unit == RANDOM_END)
		return dev;
	if (bound->unit == RANDOM_PERCENT) {
		sector = dev * bound->value / 10000;
		sector -= sector % policy->block;
	}
	return sector;
}

/* Is @lba in the rule, and at which distance from the rule's target? */
static bool reference_matches(const struct random_policy *policy, const struct random_rule *rule,
			      uint64_t dev, uint64_t lba, int64_t *delta)
{
	uint64_t packed = rule->at;

	*delta = 0;
	if (!rule->nr_ranges)
		return true;
	for (unsigned int i = 0; i < rule->nr_ranges; i++) {
		uint64_t first = reference_bound(policy, &rule->ranges[i].first, dev);
		uint64_t last = reference_bound(policy, &rule->ranges[i].last, dev);

		if (lba >= first && lba < last) {
			if (rule->has_at)
				*delta = (int64_t)(packed - first);
			return true;
		}
		packed += last - first;
	}
	return false;
}

static struct reference_place reference_place_of(const struct random_policy *policy, bool write,
						 uint64_t dev, uint64_t lba)
{
	struct reference_place place = { .rule = REFERENCE_NO_RULE, .error = EIO };

	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		const struct random_rule *rule = &policy->rules[i];
		uint64_t position;

		if (!(write ? rule->writes : rule->reads) ||
		    !reference_matches(policy, rule, dev, lba, &place.delta))
			continue;

		place.rule = i;
		place.error = rule->action == RANDOM_ERROR ? rule->error : 0;
		position = lba + place.delta;
		place.backend = rule->legs[0];
		place.sector = position;
		if (rule->action == RANDOM_STRIPE) {
			place.chunk = position / rule->chunk;
			place.backend = rule->legs[place.chunk % rule->nr_legs];
			place.sector =
				place.chunk / rule->nr_legs * rule->chunk + position % rule->chunk;
		}
		if (rule->action == RANDOM_ERROR)
			place.delta = 0;
		return place;
	}
	place.delta = 0;
	return place;
}

static bool reference_ranges_are_valid(const struct random_policy *policy, uint64_t dev)
{
	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		for (unsigned int k = 0; k < policy->rules[i].nr_ranges; k++) {
			const struct random_range *range = &policy->rules[i].ranges[k];
			uint64_t first = reference_bound(policy, &range->first, dev);
			uint64_t last = reference_bound(policy, &range->last, dev);

			if (first >= last || last > dev)
				return false;
		}
	}
	return true;
}

static bool reference_is_coherent(const struct reference *reference)
{
	for (uint64_t lba = 0; lba < reference->dev_sectors; lba++) {
		const struct reference_place *read = &reference->places[0][lba];
		const struct reference_place *write = &reference->places[1][lba];

		if (!read->error && !write->error &&
		    (read->backend != write->backend || read->sector != write->sector))
			return false;
	}
	return true;
}

static bool reference_fits(const struct reference *reference, const struct random_policy *policy)
{
	for (int write = 0; write < 2; write++) {
		for (uint64_t lba = 0; lba < reference->dev_sectors; lba++) {
			const struct reference_place *place = &reference->places[write][lba];

			if (!place->error &&
			    place->sector >= policy->backend_sectors[place->backend])
				return false;
		}
	}
	return true;
}

/* Every backend sector that is written belongs to one LBA, reads included */
static bool reference_has_alias(const struct reference *reference,
				const struct random_policy *policy)
{
	uint64_t *owner[RANDOM_MAX_BACKENDS];
	bool found = false;

	for (unsigned int b = 0; b < policy->nr_backends; b++)
		owner[b] = calloc(policy->backend_sectors[b] + 1, sizeof(**owner));

	/* Writes first: they claim, reads may only visit what is theirs or unclaimed */
	for (int write = 1; write >= 0; write--) {
		for (uint64_t lba = 0; lba < reference->dev_sectors; lba++) {
			const struct reference_place *place = &reference->places[write][lba];
			uint64_t *at;

			if (place->error)
				continue;
			at = &owner[place->backend][place->sector];
			if (*at && *at != lba + 1)
				found = true;
			if (write)
				*at = lba + 1;
		}
	}
	for (unsigned int b = 0; b < policy->nr_backends; b++)
		free(owner[b]);
	return found;
}

void reference_build(struct reference *reference, const struct random_policy *policy)
{
	*reference = (struct reference){ .dev_sectors = reference_size(policy) };
	if (!reference->dev_sectors || !reference_ranges_are_valid(policy, reference->dev_sectors))
		return;
	for (int write = 0; write < 2; write++) {
		reference->places[write] =
			calloc(reference->dev_sectors, sizeof(**reference->places));
		for (uint64_t lba = 0; lba < reference->dev_sectors; lba++)
			reference->places[write][lba] =
				reference_place_of(policy, write, reference->dev_sectors, lba);
	}
	reference->is_valid = reference_fits(reference, policy) &&
			      reference_is_coherent(reference) &&
			      !reference_has_alias(reference, policy);
}

void reference_free(struct reference *reference)
{
	free(reference->places[0]);
	free(reference->places[1]);
}

bool reference_is_new_stretch(const struct reference *reference, bool write, uint64_t lba)
{
	const struct reference_place *here = &reference->places[write][lba];
	const struct reference_place *before = here - 1;

	return here->rule != before->rule || here->delta != before->delta;
}

bool reference_is_cut(const struct reference *reference, bool write, uint64_t lba)
{
	const struct reference_place *here = &reference->places[write][lba];

	return reference_is_new_stretch(reference, write, lba) || here->chunk != (here - 1)->chunk;
}

unsigned int reference_max_items(const struct reference *reference,
				 const struct random_policy *policy, uint64_t sectors)
{
	unsigned int worst = 1;
	uint64_t slots;
	int rule;

	for (int write = 0; write < 2; write++) {
		for (uint64_t start = 0; start < reference->dev_sectors; start += policy->block) {
			unsigned int items = 1;

			for (uint64_t lba = start + 1;
			     lba < start + sectors && lba < reference->dev_sectors; lba++)
				items += reference_is_cut(reference, write, lba);
			if (items > worst)
				worst = items;
		}
	}
	reference_flush(policy, &slots, &rule);
	if ((unsigned int)__builtin_popcountll(slots) > worst)
		worst = __builtin_popcountll(slots);
	return worst;
}

int reference_flush(const struct random_policy *policy, uint64_t *slots, int *flush_rule)
{
	*slots = 0;
	*flush_rule = REFERENCE_NO_RULE;
	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		const struct random_rule *rule = &policy->rules[i];

		if (!rule->flushes)
			continue;
		*slots = 0;
		for (unsigned int k = 0; k < rule->nr_legs; k++)
			*slots |= 1ULL << rule->legs[k];
		*flush_rule = i;
		return rule->action == RANDOM_ERROR ? rule->error : 0;
	}
	for (unsigned int i = 0; i < policy->nr_rules; i++) {
		const struct random_rule *rule = &policy->rules[i];

		for (unsigned int k = 0; rule->writes && k < rule->nr_legs; k++)
			*slots |= 1ULL << rule->legs[k];
	}
	return 0;
}
