/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_RESOLVE_INTERNAL_H
#define RUNTIME_RESOLVE_INTERNAL_H

/* Between the resolve*.c only */
#include <stdbool.h>

#include "resolve.h"

#define RESOLVE_SECTOR	      512U
#define RESOLVE_PERCENT_SCALE 100000000000ULL /* 100 % */

struct resolve {
	const struct resolve_input *input;
	const struct policy_image *image;
	struct resolve_layout *layout;
	/* For each rule: an earlier one that has all of an LBA that it asks for, or UBLKPOL_NO_RULE
	 */
	__u32 *takers;
	bool *overcommitted; /* for each rule: its concat is reported */
	unsigned int nr_errors;
	unsigned int nr_messages; /* errors among them */
};

/**
 * resolve_report() - hand a message to the caller
 * @check: what found it, which says whether it is an error; UBLKPOL_NO_CHECK: it is one
 * @rule: index or RESOLVE_NO_RULE
 * @column: of the range in question, or 0: the whole rule
 */
void resolve_report(struct resolve *r, enum ublkpol_check check, unsigned int rule,
		    unsigned int column, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/** resolve_report_pair() - the same for two rules; @other: the one that is not to blame */
void resolve_report_pair(struct resolve *r, enum ublkpol_check check, unsigned int rule,
			 unsigned int column, __u32 other, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/** resolve_report_rules() - the same for a rule and several others */
void resolve_report_rules(struct resolve *r, enum ublkpol_check check, unsigned int rule,
			  const __u32 *others, unsigned int nr_others, const char *hint,
			  const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* Room for what resolve_print_size() and resolve_print_lba() write */
#define RESOLVE_TEXT_SIZE 32

/** resolve_print_size() - such as "64KiB"; returns @text */
const char *resolve_print_size(char text[RESOLVE_TEXT_SIZE], __u64 sectors);

/**
 * resolve_print_percent() - @sector as a part of the device, up to 9 decimals; returns @text
 *
 * Made up sizes are so large that rounding does not show.
 */
const char *resolve_print_percent(char text[RESOLVE_TEXT_SIZE], __u64 sector, __u64 dev_sectors);

/**
 * resolve_print_lba() - such as "64KiB" or "sector 7"; "50%" if the size of the
 * device is made up; returns @text
 */
const char *resolve_print_lba(const struct resolve *r, char text[RESOLVE_TEXT_SIZE], __u64 sector);

/* A rule's segment for one direction, from 0 */
static inline struct ublkpol_segment *resolve_part(const struct resolve_layout *layout,
						   enum ublkpol_direction dir)
{
	return layout->segments +
	       (dir == UBLKPOL_DIR_WRITE ? layout->nr_segments[UBLKPOL_DIR_READ] : 0);
}

/** resolve_find() - the segment that holds @sector, which must be on the device; needs the index */
const struct ublkpol_segment *resolve_find(const struct resolve_layout *layout,
					   enum ublkpol_direction dir, __u64 sector);

/* What can happen to an LBA of a segment: its last rule, or a conditional one */
struct resolve_outcome {
	__u32 rule; /* may be UBLKPOL_NO_RULE */
	__u32 target; /* may be UBLKPOL_NO_TARGET */
	__s64 delta;
	bool is_conditional;
};

/** resolve_nr_outcomes() - how many a segment has, its last rule included */
static inline unsigned int resolve_nr_outcomes(const struct ublkpol_segment *segment)
{
	return segment->mask ? 1 + (unsigned int)__builtin_popcountll(segment->mask) : 1;
}

/** resolve_outcome() - number @i of them: the conditional ones in order, then the last rule */
static inline struct resolve_outcome resolve_outcome(const struct resolve_layout *layout,
						     const struct ublkpol_segment *segment,
						     unsigned int i)
{
	const struct ublkpol_choice *choice;

	if (i == resolve_nr_outcomes(segment) - 1)
		return (struct resolve_outcome){ segment->rule, segment->target, segment->delta,
						 false };
	choice = &layout->choices[segment->first_choice + i];
	return (struct resolve_outcome){ choice->rule, choice->target, choice->delta, true };
}

/**
 * resolve_taker() - who is in the way of outcome @i of a segment
 *
 * Return: an earlier rule whose condition holds whenever that of the outcome
 * holds, or UBLKPOL_NO_RULE: requests may reach it.
 */
__u32 resolve_taker(const struct resolve *r, enum ublkpol_direction dir,
		    const struct ublkpol_segment *segment, unsigned int i);

/** resolve_is_mapped() - does the outcome lead to backends? */
static inline bool resolve_is_mapped(const struct policy_image *image,
				     const struct resolve_outcome *outcome)
{
	return outcome->target != UBLKPOL_NO_TARGET &&
	       policy_image_has_legs(image->targets[outcome->target].action);
}

/** resolve_sort() - qsort(), but at once if @array is sorted, as sets of many ranges mostly are */
void resolve_sort(void *array, size_t nr, size_t size, int (*compare)(const void *, const void *));

/** resolve_lists() - fills in layout->lists and checks all ranges; 0, -EINVAL or -ENOMEM */
int resolve_lists(struct resolve *r);

/** resolve_range_column() - where number @number of a rule's first LBA list stands in its line */
unsigned int resolve_range_column(const struct resolve *r, __u32 rule, size_t number);

/** resolve_segments() - fills in the tables of the program; 0, -EINVAL or -ENOMEM */
int resolve_segments(struct resolve *r);

/** resolve_index() - fills in the search trees of the segments and their index; 0 or -ENOMEM */
int resolve_index(struct resolve_layout *layout);

/** resolve_capacity() - size of @target in sectors, with the sizes of its backends */
__u64 resolve_capacity(const struct resolve *r, const struct ublkpol_target *target);

/**
 * resolve_check_layout() - bounds, alias, coherence, gaps, unreachable rules
 *
 * Return: 0 or -ENOMEM; what was found is reported.
 */
int resolve_check_layout(struct resolve *r);

/**
 * resolve_check_overlaps() - ranges that overlap, and ranges that get nothing
 * @is_reached: for each rule, does it get anything?
 *
 * Return: 0 or -ENOMEM; what was found is reported.
 */
int resolve_check_overlaps(struct resolve *r, const bool *is_reached);

#define RESOLVE_MAX_TAKERS 4

/**
 * resolve_takers() - the rules that have what a rule asks for
 * @takers: set to the first of them, in the order of the policy
 *
 * Return: how many, up to RESOLVE_MAX_TAKERS; 0 if the rule combines lists.
 */
unsigned int resolve_takers(const struct resolve *r, __u32 rule, __u32 takers[RESOLVE_MAX_TAKERS]);

/** resolve_limits() - fills in the limits of requests; 0 or -ENOMEM */
int resolve_limits(struct resolve *r);

#endif
