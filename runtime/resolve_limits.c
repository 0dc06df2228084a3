// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <linux/ublk_bpf.h>

#include "resolve_internal.h"

/*
 * How many SQEs can one request need? One for each piece, and for each copy of
 * it: pieces end where segments end and, in a stripe or the like, where chunks
 * end. The worst request starts in the last block before such a boundary: if it
 * started later, it would lose a piece, and earlier, it would only reach less far.
 */

#define LIMITS_MAX_DISCARD (1U << 22) /* sectors: 2 GiB */

struct limits {
	const struct resolve *r;
	__u32 block; /* sectors */
	__u32 max; /* SQEs that a plan has room for */
	/* For each segment, and for the end: SQEs of all that lie before it, if wholly used */
	__u64 *before[UBLKPOL_NR_DIRS];
};

/* Sectors of the pieces that the outcome cuts, or 0 */
static __u64 limits_chunk(const struct limits *l, const struct resolve_outcome *outcome,
			  enum ublkpol_direction dir)
{
	const struct ublkpol_target *target;

	if (!resolve_is_mapped(l->r->image, outcome))
		return 0;
	target = &l->r->image->targets[outcome->target];
	/* The chunk of a mirror says where to read */
	if (target->action == UBLKPOL_ACTION_MIRROR && dir == UBLKPOL_DIR_WRITE)
		return 0;
	return target->chunk / RESOLVE_SECTOR;
}

/* SQEs of each piece */
static __u64 limits_copies(const struct limits *l, const struct resolve_outcome *outcome,
			   enum ublkpol_direction dir)
{
	const struct ublkpol_target *target;

	if (!resolve_is_mapped(l->r->image, outcome))
		return 1;
	target = &l->r->image->targets[outcome->target];
	return dir == UBLKPOL_DIR_WRITE && target->action == UBLKPOL_ACTION_MIRROR ? target->nr_legs
										   : 1;
}

/* SQEs for the sectors from @first up to @last, which lie in @segment */
static __u64 limits_items_inside(const struct limits *l, enum ublkpol_direction dir,
				 const struct ublkpol_segment *segment, __u64 first, __u64 last)
{
	__u64 worst = 1;

	for (unsigned int i = 0; i < resolve_nr_outcomes(segment); i++) {
		struct resolve_outcome outcome = resolve_outcome(l->r->layout, segment, i);
		__u64 chunk = limits_chunk(l, &outcome, dir), items = 1;

		if (chunk)
			items += (last - 1 + (__u64)outcome.delta) / chunk -
				 (first + (__u64)outcome.delta) / chunk;
		items *= limits_copies(l, &outcome, dir);
		if (items > worst)
			worst = items;
	}
	return worst;
}

/* SQEs of a request from @first, which lies in @from, up to @last */
static __u64 limits_items_of(const struct limits *l, enum ublkpol_direction dir,
			     const struct ublkpol_segment *from, __u64 first, __u64 last)
{
	const struct ublkpol_segment *part = resolve_part(l->r->layout, dir);
	const struct ublkpol_segment *to;

	if (last <= from->end)
		return limits_items_inside(l, dir, from, first, last);
	to = resolve_find(l->r->layout, dir, last - 1);
	return limits_items_inside(l, dir, from, first, from->end) + l->before[dir][to - part] -
	       l->before[dir][from - part + 1] + limits_items_inside(l, dir, to, to->start, last);
}

static int limits_prepare(struct limits *l)
{
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const struct ublkpol_segment *part = resolve_part(l->r->layout, dir);
		__u32 nr = l->r->layout->nr_segments[dir];

		l->before[dir] = calloc(nr + 1ULL, sizeof(*l->before[dir]));
		if (!l->before[dir])
			return -ENOMEM;
		for (__u32 i = 0; i < nr; i++)
			l->before[dir][i + 1] =
				l->before[dir][i] +
				limits_items_inside(l, dir, &part[i], part[i].start, part[i].end);
	}
	return 0;
}

/* Of the request that starts one block before @boundary, in @segment */
static __u64 limits_at(const struct limits *l, enum ublkpol_direction dir,
		       const struct ublkpol_segment *segment, __u64 boundary, __u64 sectors)
{
	__u64 first = boundary - l->block;
	__u64 last = first + sectors;

	if (last > l->r->layout->dev_sectors)
		last = l->r->layout->dev_sectors;
	return limits_items_of(l, dir, segment, first, last);
}

/*
 * Inside one outcome of a segment all chunks are alike until the request
 * reaches the end of the segment: only the first one and the last few need a
 * look.
 */
static __u64 limits_of_chunks(const struct limits *l, enum ublkpol_direction dir,
			      const struct ublkpol_segment *segment,
			      const struct resolve_outcome *outcome, __u64 sectors)
{
	__u64 chunk = limits_chunk(l, outcome, dir);
	__u64 worst = 0, items, first, at;

	if (!chunk)
		return 0;
	first = segment->start + chunk - (segment->start + (__u64)outcome->delta) % chunk;
	if (first < segment->end)
		worst = limits_at(l, dir, segment, first, sectors);
	at = segment->end > first + sectors ? segment->end - sectors : first;
	at += (chunk - (at + (__u64)outcome->delta) % chunk) % chunk;
	for (; at < segment->end && worst <= l->max; at += chunk) {
		items = limits_at(l, dir, segment, at, sectors);
		if (items > worst)
			worst = items;
	}
	return worst;
}

/* Exact up to l->max, then only more than that */
static __u64 limits_items(const struct limits *l, __u64 sectors)
{
	__u64 worst = 1, items;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const struct ublkpol_segment *part = resolve_part(l->r->layout, dir);

		for (__u32 i = 0; i < l->r->layout->nr_segments[dir] && worst <= l->max; i++) {
			/* The last one too: the request in the last block of the device */
			items = limits_at(l, dir, &part[i], part[i].end, sectors);
			worst = items > worst ? items : worst;
			for (unsigned int k = 0; k < resolve_nr_outcomes(&part[i]); k++) {
				struct resolve_outcome outcome =
					resolve_outcome(l->r->layout, &part[i], k);

				items = limits_of_chunks(l, dir, &part[i], &outcome, sectors);
				worst = items > worst ? items : worst;
			}
		}
	}
	return worst;
}

/* A flush goes to every backend that a write can reach, or where a rule says */
static __u32 limits_flush_items(const struct policy_image *image)
{
	__u32 worst = 0, legs;
	__u64 written = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (rule->flush != UBLKPOL_NEVER) {
			legs = (__u32)__builtin_popcountll(policy_image_rule_legs(image, i));
			worst = legs > worst ? legs : worst;
		}
		written |= policy_image_written(image, i);
	}
	legs = (__u32)__builtin_popcountll(written);
	return legs > worst ? legs : worst;
}

static void limits_requests(struct resolve *r, struct limits *l)
{
	/* A plan that waits has one more item */
	__u32 hold = r->image->header->nr_modifiers ? 1 : 0;
	__u32 flush = limits_flush_items(r->image);
	__u64 sectors = RESOLVE_MAX_SECTORS, items;

	l->max = UBLK_BPF_MAX_ITEMS - hold;
	while ((items = limits_items(l, sectors)) > l->max && sectors > l->block)
		sectors /= 2;
	r->layout->max_sectors = (__u32)sectors;
	r->layout->max_items = (__u32)(items > flush ? items : flush) + hold;

	/* A device that exists has promised it */
	sectors = r->input->discard_sectors;
	if (sectors) {
		__u64 discard_items = limits_items(l, sectors);

		if (discard_items <= l->max) {
			r->layout->max_discard_sectors = (__u32)sectors;
			if (discard_items + hold > r->layout->max_items)
				r->layout->max_items = (__u32)discard_items + hold;
			return;
		}
	}

	/* Memory for the largest plan waits with each tag: discards ask for no more of it */
	l->max = (__u32)items;
	for (sectors = LIMITS_MAX_DISCARD; sectors > r->layout->max_sectors; sectors /= 2) {
		if (limits_items(l, sectors) <= l->max)
			break;
	}
	r->layout->max_discard_sectors = (__u32)sectors;
}

int resolve_limits(struct resolve *r)
{
	struct limits l = { .r = r, .block = r->layout->block / RESOLVE_SECTOR };
	int ret = limits_prepare(&l);

	if (!ret)
		limits_requests(r, &l);
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		free(l.before[dir]);
	return ret;
}
