// SPDX-License-Identifier: GPL-2.0-only
/* From symbolic ranges to sectors */
#include <errno.h>
#include <stdlib.h>

#include "resolve_internal.h"

#define LISTS_MAX_REPORTS 8 /* of one list: a wrong set is wrong everywhere */

static __u64 lists_bound(const struct resolve *r, const struct ublkpol_bound *bound)
{
	__u32 block = r->layout->block / RESOLVE_SECTOR;
	__u64 sector;

	switch (bound->unit) {
	case UBLKPOL_UNIT_BYTES:
		sector = bound->value / RESOLVE_SECTOR;
		break;
	case UBLKPOL_UNIT_PERCENT:
		sector = (unsigned __int128)bound->value * r->layout->dev_sectors /
			 RESOLVE_PERCENT_SCALE;
		break;
	default:
		return r->layout->dev_sectors;
	}
	return sector - sector % block;
}

static void lists_check_aligned(struct resolve *r, __u32 rule, const struct ublkpol_bound *bound,
				unsigned int column)
{
	if (bound->unit == UBLKPOL_UNIT_BYTES && bound->value % r->layout->block)
		resolve_report(r, UBLKPOL_CHECK_UNALIGNED, rule, column,
			       "what lies between the two goes where the next block goes",
			       "%llu bytes is no multiple of the device's block, %u bytes: it is "
			       "rounded down to %llu",
			       (unsigned long long)bound->value, r->layout->block,
			       (unsigned long long)bound->value / r->layout->block *
				       r->layout->block);
}

/* @part: of the rule's list that the range stands in; what a set holds is reported there */
static void lists_check_range(struct resolve *r, __u32 rule, const struct ublkpol_part *part,
			      const struct ublkpol_range *range,
			      const struct resolve_range *resolved)
{
	char first[RESOLVE_TEXT_SIZE], last[RESOLVE_TEXT_SIZE], size[RESOLVE_TEXT_SIZE];
	bool is_own = part->set == UBLKPOL_NO_SET;

	lists_check_aligned(r, rule, &range->first, is_own ? range->first.column : part->column);
	lists_check_aligned(r, rule, &range->last, is_own ? range->last.column : part->column);

	if (resolved->last > r->layout->dev_sectors) {
		resolve_report(r, UBLKPOL_NO_CHECK, rule,
			       is_own ? range->last.column : part->column,
			       r->image->header->size ? NULL
						      : "'end' is the end of the device; 'size' "
							"declares where that is",
			       "the range ends at %s, beyond the end of the device (%s)",
			       resolve_print_lba(r, last, resolved->last),
			       resolve_print_size(size, r->layout->dev_sectors));
		return;
	}
	if (resolved->first < resolved->last)
		return;
	if (r->input->is_made_up)
		resolve_report(r, UBLKPOL_NO_CHECK, rule,
			       is_own ? range->first.column : part->column, NULL,
			       "on a device of any size the range is empty");
	else
		resolve_report(r, UBLKPOL_NO_CHECK, rule,
			       is_own ? range->first.column : part->column, NULL,
			       "on this device (%s) the range is %s: it would be %s to %s",
			       resolve_print_size(size, r->layout->dev_sectors),
			       resolved->first == resolved->last ? "empty" : "reversed",
			       resolve_print_lba(r, first, resolved->first),
			       resolve_print_lba(r, last, resolved->last));
}

/* The ranges of a part, which may have been replaced */
static const struct ublkpol_range *lists_ranges(const struct resolve *r,
						const struct ublkpol_part *part, size_t *nr)
{
	const struct ublkpol_set *set;

	if (part->set == UBLKPOL_NO_SET) {
		*nr = part->nr_ranges;
		return r->image->ranges + part->first_range;
	}
	if (r->input->sets && r->input->sets[part->set].is_replaced) {
		*nr = r->input->sets[part->set].nr;
		return r->input->sets[part->set].ranges;
	}
	set = &r->image->sets[part->set];
	*nr = set->nr_ranges;
	return r->image->ranges + set->first_range;
}

static void lists_fill(struct resolve *r, __u32 rule, __u32 index)
{
	const struct ublkpol_list *list = &r->image->lists[index];
	struct resolve_list *out = &r->layout->lists[index];
	unsigned int nr_messages = r->nr_messages;

	for (__u32 p = 0; p < list->nr_parts; p++) {
		const struct ublkpol_part *part = &r->image->parts[list->first_part + p];
		size_t nr;
		const struct ublkpol_range *ranges = lists_ranges(r, part, &nr);

		for (size_t i = 0; i < nr; i++) {
			struct resolve_range *range = &out->ranges[out->nr++];

			range->first = lists_bound(r, &ranges[i].first);
			range->last = lists_bound(r, &ranges[i].last);
			if (r->nr_messages - nr_messages < LISTS_MAX_REPORTS)
				lists_check_range(r, rule, part, &ranges[i], range);
		}
	}
}

unsigned int resolve_range_column(const struct resolve *r, __u32 rule, size_t number)
{
	const struct ublkpol_list *list = &r->image->lists[r->image->rules[rule].first_list];

	for (__u32 p = 0; p < list->nr_parts; p++) {
		const struct ublkpol_part *part = &r->image->parts[list->first_part + p];
		size_t nr;
		const struct ublkpol_range *ranges = lists_ranges(r, part, &nr);

		if (number < nr)
			return part->set == UBLKPOL_NO_SET ? ranges[number].first.column
							   : part->column;
		number -= nr;
	}
	return 0;
}

static void lists_check_action(struct resolve *r, __u32 index)
{
	const struct ublkpol_rule *rule = &r->image->rules[index];
	const struct ublkpol_target *target = policy_image_target(r->image, index);

	if (target->chunk % r->layout->block)
		resolve_report(
			r, UBLKPOL_NO_CHECK, index, 0, NULL,
			"the chunk (%u bytes) is no multiple of the device's block, %u bytes",
			target->chunk, r->layout->block);
	if (rule->at != UBLKPOL_NO_OFFSET && rule->at % r->layout->block)
		resolve_report(
			r, UBLKPOL_NO_CHECK, index, 0, NULL,
			"the offset (%llu bytes) is no multiple of the device's block, %u bytes",
			(unsigned long long)rule->at, r->layout->block);
}

int resolve_lists(struct resolve *r)
{
	const struct ublkpol_header *header = r->image->header;
	struct resolve_range *ranges;
	size_t total = 1;

	for (__u32 i = 0; i < header->nr_lists; i++) {
		for (__u32 p = 0; p < r->image->lists[i].nr_parts; p++) {
			size_t nr;

			lists_ranges(r, &r->image->parts[r->image->lists[i].first_part + p], &nr);
			total += nr;
		}
	}
	ranges = calloc(total, sizeof(*ranges));
	r->layout->lists = calloc(header->nr_lists + 1ULL, sizeof(*r->layout->lists));
	if (!ranges || !r->layout->lists) {
		free(ranges);
		return -ENOMEM;
	}

	r->layout->lists[0].ranges = ranges;
	for (__u32 i = 0; i < header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &r->image->rules[i];

		lists_check_action(r, i);
		for (__u32 k = 0; k < rule->nr_lists; k++) {
			r->layout->lists[rule->first_list + k].ranges = ranges;
			lists_fill(r, i, rule->first_list + k);
			ranges += r->layout->lists[rule->first_list + k].nr;
		}
	}
	return r->nr_errors ? -EINVAL : 0;
}
