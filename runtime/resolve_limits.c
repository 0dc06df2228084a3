// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ublk_bpf.h>

#include "resolve_internal.h"

/*
 * How many SQEs can one request need? One more than the boundaries inside it:
 * ends of segments and, in a stripe, ends of chunks. The worst request starts
 * one block before a boundary.
 */

static __u64 limits_chunk(const struct resolve *r, const struct ublkpol_segment *segment)
{
	const struct ublkpol_rule *rule;

	if (!resolve_is_mapped(r->image, segment->rule))
		return 0;
	rule = &r->image->rules[segment->rule];
	return rule->action == UBLKPOL_ACTION_STRIPE ? rule->chunk / RESOLVE_SECTOR : 0;
}

/* Boundaries inside @segment and before @sector, its start not counted */
static __u64 limits_inner(const struct resolve *r, const struct ublkpol_segment *segment,
			  __u64 sector)
{
	__u64 chunk = limits_chunk(r, segment);

	if (!chunk || sector <= segment->start)
		return 0;
	return (sector - 1 + segment->delta) / chunk - (segment->start + segment->delta) / chunk;
}

/*
 * Boundaries from @first up to @last, both on the device, the first one
 * included; not all of them if they are too many for a request anyhow.
 */
static __u64 limits_count(const struct resolve *r, enum ublkpol_direction dir, __u64 first,
			  __u64 last)
{
	const struct ublkpol_segment *segment = resolve_find(r->layout, dir, first);
	__u64 count = first == segment->start;

	count += limits_inner(r, segment, last < segment->end ? last : segment->end) -
		 limits_inner(r, segment, first);
	while (last > segment->end && count < UBLK_BPF_MAX_ITEMS) {
		segment++;
		count += 1 + limits_inner(r, segment, last < segment->end ? last : segment->end);
	}
	return count;
}

/* Worst case of requests that start one block before @boundary */
static __u64 limits_at(const struct resolve *r, enum ublkpol_direction dir, __u64 boundary,
		       __u32 sectors)
{
	__u64 end = boundary - r->layout->block / RESOLVE_SECTOR + sectors;

	if (end > r->layout->dev_sectors)
		end = r->layout->dev_sectors;
	return 1 + (end > boundary ? limits_count(r, dir, boundary, end) : 0);
}

/*
 * Inside a stripe all boundaries are alike until the request reaches the end
 * of the segment: only the first one and the last few need a look.
 */
static __u64 limits_of_segment(const struct resolve *r, enum ublkpol_direction dir,
			       const struct ublkpol_segment *segment, __u32 sectors)
{
	__u64 chunk = limits_chunk(r, segment);
	__u64 worst = 1, items, first, near_end;

	if (segment->start)
		worst = limits_at(r, dir, segment->start, sectors);
	if (!chunk)
		return worst;

	first = segment->start + chunk - (segment->start + segment->delta) % chunk;
	if (first < segment->end) {
		items = limits_at(r, dir, first, sectors);
		if (items > worst)
			worst = items;
	}
	near_end = segment->end > first + sectors ? segment->end - sectors : first;
	near_end += (chunk - (near_end + segment->delta) % chunk) % chunk;
	for (__u64 at = near_end; at < segment->end; at += chunk) {
		items = limits_at(r, dir, at, sectors);
		if (items > worst)
			worst = items;
	}
	return worst;
}

/* Exact up to UBLK_BPF_MAX_ITEMS, then only more than that */
static __u64 limits_items(const struct resolve *r, __u32 sectors)
{
	__u64 worst = 1;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const struct ublkpol_segment *part = resolve_part(r->layout, dir);

		for (__u32 i = 0; i < r->layout->nr_segments[dir] && worst <= UBLK_BPF_MAX_ITEMS;
		     i++) {
			__u64 items = limits_of_segment(r, dir, &part[i], sectors);

			if (items > worst)
				worst = items;
		}
	}
	return worst;
}

/* A flush goes to every backend that a write can reach, or where a rule says */
static __u32 limits_flush_items(const struct policy_image *image)
{
	__u64 written = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (rule->ops & UBLKPOL_OP_FLUSH)
			return rule->nr_legs;
	}
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		for (__u32 k = 0; rule->ops & UBLKPOL_OP_WRITE && k < rule->nr_legs; k++)
			written |= 1ULL << image->legs[rule->first_leg + k];
	}
	return __builtin_popcountll(written);
}

void resolve_limits(struct resolve *r)
{
	__u32 sectors = RESOLVE_MAX_SECTORS;
	__u32 flush = limits_flush_items(r->image);
	__u64 items;

	while ((items = limits_items(r, sectors)) > UBLK_BPF_MAX_ITEMS)
		sectors /= 2;

	r->layout->max_sectors = sectors;
	r->layout->max_items = items > flush ? items : flush;
}
