// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges that are not what their writer meant: two that overlap, but not because
 * one is an exception inside the other, and those that nothing is left of.
 */
#include <errno.h>
#include <stdlib.h>

#include "resolve_internal.h"

#define OVERLAPS_MAX_REPORTS 8 /* of one check: a wrong policy is wrong everywhere */

/* --- overlap --- */

/* A range whose rule decides about all of it that no earlier rule has taken */
struct overlaps_range {
	__u64 first; /* 512-byte sectors */
	__u64 last; /* half open */
	__u32 rule;
	size_t number; /* in the rule's list */
};

struct overlaps {
	struct resolve *r;
	const bool *is_reached; /* by rule */
	struct overlaps_range *ranges; /* of one direction, sorted */
	const struct overlaps_range **open; /* the ranges that hold the one at hand */
	size_t nr;
	__u32 reported[OVERLAPS_MAX_REPORTS][2]; /* rules */
	unsigned int nr_reported;
};

static bool overlaps_is_unconditional(const struct policy_image *image,
				      const struct ublkpol_rule *rule, enum ublkpol_direction dir)
{
	const __u32 *outcomes = image->outcomes + rule->first_outcome[dir];

	return rule->nr_lists == 1 && outcomes[1] == UBLKPOL_ALWAYS && outcomes[0] == UBLKPOL_NEVER;
}

static void overlaps_collect(struct overlaps *o, enum ublkpol_direction dir)
{
	const struct policy_image *image = o->r->image;
	static const __u32 ops[UBLKPOL_NR_DIRS] = { UBLKPOL_OP_READ, UBLKPOL_OP_WRITE };

	o->nr = 0;
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];
		const struct resolve_list *list = &o->r->layout->lists[rule->first_list];

		if (!o->is_reached[i] || !(rule->ops & ops[dir]) ||
		    !overlaps_is_unconditional(image, rule, dir))
			continue;
		for (size_t k = 0; k < list->nr; k++)
			o->ranges[o->nr++] = (struct overlaps_range){ list->ranges[k].first,
								      list->ranges[k].last, i, k };
	}
}

/* A range comes before those that it holds */
static int overlaps_compare(const void *a, const void *b)
{
	const struct overlaps_range *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->last != y->last)
		return x->last > y->last ? -1 : 1;
	if (x->rule != y->rule)
		return x->rule < y->rule ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

static bool overlaps_is_new(struct overlaps *o, __u32 a, __u32 b)
{
	for (unsigned int i = 0; i < o->nr_reported; i++) {
		if (o->reported[i][0] == a && o->reported[i][1] == b)
			return false;
	}
	o->reported[o->nr_reported][0] = a;
	o->reported[o->nr_reported++][1] = b;
	return true;
}

/* The rule of @earlier decides what happens in both, unless it is the same rule */
static void overlaps_report(struct overlaps *o, const struct overlaps_range *earlier,
			    const struct overlaps_range *later)
{
	char first[RESOLVE_TEXT_SIZE], last[RESOLVE_TEXT_SIZE];
	struct resolve *r = o->r;
	unsigned int column = resolve_range_column(r, later->rule, later->number);

	if (!overlaps_is_new(o, earlier->rule, later->rule))
		return;
	resolve_print_lba(r, first, earlier->first > later->first ? earlier->first : later->first);
	resolve_print_lba(r, last, earlier->last < later->last ? earlier->last : later->last);
	if (earlier->rule == later->rule)
		resolve_report(r, UBLKPOL_CHECK_OVERLAP, later->rule, column, NULL,
			       "two ranges of the rule share LBA %s-%s", first, last);
	else
		resolve_report_pair(r, UBLKPOL_CHECK_OVERLAP, later->rule, column, earlier->rule,
				    "let one range end where the other begins",
				    "LBA %s-%s belongs to two ranges: the rule of line %u gets it",
				    first, last, r->image->rules[earlier->rule].line);
}

/* Ranges are fine if they are apart, or one rule's range holds that of another */
static void overlaps_find(struct overlaps *o)
{
	size_t depth = 0;

	resolve_sort(o->ranges, o->nr, sizeof(*o->ranges), overlaps_compare);
	for (size_t i = 0; i < o->nr && o->nr_reported < OVERLAPS_MAX_REPORTS; i++) {
		const struct overlaps_range *range = &o->ranges[i], *other;

		while (depth && o->open[depth - 1]->last <= range->first)
			depth--;
		other = depth ? o->open[depth - 1] : NULL;
		if (other && (other->last < range->last || other->rule == range->rule)) {
			if (other->rule <= range->rule)
				overlaps_report(o, other, range);
			else
				overlaps_report(o, range, other);
		}
		o->open[depth++] = range;
	}
}

static int overlaps_check(struct resolve *r, const bool *is_reached)
{
	struct overlaps o = { .r = r, .is_reached = is_reached };
	size_t max = 1;

	for (__u32 i = 0; i < r->image->header->nr_lists; i++)
		max += r->layout->lists[i].nr;
	o.ranges = calloc(max, sizeof(*o.ranges));
	o.open = calloc(max, sizeof(*o.open));
	if (o.ranges && o.open) {
		for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
			overlaps_collect(&o, dir);
			overlaps_find(&o);
		}
	}
	free(o.ranges);
	free(o.open);
	return o.ranges && o.open ? 0 : -ENOMEM;
}

/* --- unreachable ranges --- */

/* Does @rule get some part of @range? If not, @taker is the rule that has its beginning */
static bool overlaps_reaches(const struct resolve *r, __u32 rule, const struct resolve_range *range,
			     enum ublkpol_direction dir, __u32 *taker)
{
	const struct ublkpol_segment *segment = resolve_find(r->layout, dir, range->first);

	*taker = segment->rule;
	for (__u64 lba = range->first; lba < range->last; lba = segment++->end) {
		for (unsigned int i = 0; i < resolve_nr_outcomes(segment); i++) {
			__u32 earlier;

			if (resolve_outcome(r->layout, segment, i).rule != rule)
				continue;
			earlier = resolve_taker(r, dir, segment, i);
			if (earlier == UBLKPOL_NO_RULE)
				return true;
			*taker = earlier;
		}
	}
	return false;
}

static bool overlaps_reaches_any(const struct resolve *r, __u32 index,
				 const struct resolve_range *range, __u32 *taker)
{
	const struct ublkpol_rule *rule = &r->image->rules[index];

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		if (r->image->outcomes[rule->first_outcome[dir] + 1] != UBLKPOL_NEVER &&
		    overlaps_reaches(r, index, range, dir, taker))
			return true;
	}
	return false;
}

/* Of a rule that gets something, the ranges that it gets nothing of */
static unsigned int overlaps_unreachable(struct resolve *r, __u32 index, unsigned int max)
{
	const struct ublkpol_rule *rule = &r->image->rules[index];
	const struct resolve_list *list = &r->layout->lists[rule->first_list];
	unsigned int reports = 0;

	for (size_t i = 0; i < list->nr && reports < max; i++) {
		__u32 taker = UBLKPOL_NO_RULE;

		if (overlaps_reaches_any(r, index, &list->ranges[i], &taker) ||
		    taker == UBLKPOL_NO_RULE)
			continue;
		resolve_report_pair(r, UBLKPOL_CHECK_UNREACHABLE_RANGE, index,
				    resolve_range_column(r, index, i), taker, NULL,
				    "nothing of this range reaches the rule: the rule of line %u "
				    "matches first",
				    r->image->rules[taker].line);
		reports++;
	}
	return reports;
}

/* --- who is in the way --- */

struct overlaps_takers {
	__u32 *rules; /* sorted */
	unsigned int nr;
};

static void overlaps_note_taker(struct overlaps_takers *takers, __u32 rule)
{
	unsigned int at = 0;

	while (at < takers->nr && takers->rules[at] < rule)
		at++;
	if (takers->nr == RESOLVE_MAX_TAKERS || (at < takers->nr && takers->rules[at] == rule))
		return;
	for (unsigned int i = takers->nr++; i > at; i--)
		takers->rules[i] = takers->rules[i - 1];
	takers->rules[at] = rule;
}

static void overlaps_note_takers(const struct resolve *r, __u32 rule,
				 const struct resolve_range *range, enum ublkpol_direction dir,
				 struct overlaps_takers *takers)
{
	const struct ublkpol_segment *segment = resolve_find(r->layout, dir, range->first);

	for (__u64 lba = range->first; lba < range->last && takers->nr < RESOLVE_MAX_TAKERS;
	     lba = segment++->end) {
		if (segment->rule < rule)
			overlaps_note_taker(takers, segment->rule);
		for (unsigned int i = 0; i < resolve_nr_outcomes(segment); i++) {
			__u32 earlier = resolve_taker(r, dir, segment, i);

			if (resolve_outcome(r->layout, segment, i).rule == rule &&
			    earlier != UBLKPOL_NO_RULE)
				overlaps_note_taker(takers, earlier);
		}
	}
}

unsigned int resolve_takers(const struct resolve *r, __u32 index, __u32 rules[RESOLVE_MAX_TAKERS])
{
	const struct ublkpol_rule *rule = &r->image->rules[index];
	const struct resolve_range everything = { 0, r->layout->dev_sectors };
	struct overlaps_takers takers = { .rules = rules };

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const __u32 *outcomes = r->image->outcomes + rule->first_outcome[dir];
		const struct resolve_list *list = &r->layout->lists[rule->first_list];

		if (rule->nr_lists > 1 || outcomes[rule->nr_lists] == UBLKPOL_NEVER ||
		    (rule->nr_lists && outcomes[0] != UBLKPOL_NEVER))
			continue;
		if (!rule->nr_lists)
			overlaps_note_takers(r, index, &everything, dir, &takers);
		for (size_t i = 0; rule->nr_lists && i < list->nr; i++)
			overlaps_note_takers(r, index, &list->ranges[i], dir, &takers);
	}
	return takers.nr;
}

int resolve_check_overlaps(struct resolve *r, const bool *is_reached)
{
	unsigned int reports = 0;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		if (is_reached[i] && r->image->rules[i].nr_lists == 1)
			reports += overlaps_unreachable(r, i, OVERLAPS_MAX_REPORTS - reports);
	}
	return overlaps_check(r, is_reached);
}
