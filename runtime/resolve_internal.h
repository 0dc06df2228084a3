/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_RESOLVE_INTERNAL_H
#define RUNTIME_RESOLVE_INTERNAL_H

/* Between resolve.c, resolve_checks.c and resolve_limits.c only */
#include <stdbool.h>

#include "resolve.h"

#define RESOLVE_SECTOR 512U

struct resolve {
	const struct resolve_input *input;
	const struct policy_image *image;
	struct resolve_layout *layout;
	unsigned int nr_errors;
};

/**
 * resolve_report() - hand a message to the caller
 * @check: name of the check or NULL
 * @rule: index or RESOLVE_NO_RULE
 * @column: of the range in question, or 0: the whole rule
 */
void resolve_report(struct resolve *r, enum resolve_level level, const char *check,
		    unsigned int rule, unsigned int column, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 7, 8)));

/* Room for what resolve_print_size() and resolve_print_lba() write */
#define RESOLVE_TEXT_SIZE 32

/** resolve_print_size() - such as "64KiB"; returns @text */
const char *resolve_print_size(char text[RESOLVE_TEXT_SIZE], __u64 sectors);

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

/** resolve_find() - the segment that holds @sector, which must be on the device */
const struct ublkpol_segment *resolve_find(const struct resolve_layout *layout,
					   enum ublkpol_direction dir, __u64 sector);

/** resolve_is_mapped() - does @rule (may be UBLKPOL_NO_RULE) lead to a backend? */
static inline bool resolve_is_mapped(const struct policy_image *image, __u32 rule)
{
	return rule != UBLKPOL_NO_RULE && image->rules[rule].action != UBLKPOL_ACTION_ERROR;
}

/**
 * resolve_check_layout() - bounds, alias, coherence, gaps, unreachable rules
 *
 * Return: 0 or -ENOMEM; what was found is reported.
 */
int resolve_check_layout(struct resolve *r);

/** resolve_limits() - fills in max_sectors and max_items */
void resolve_limits(struct resolve *r);

#endif
