// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>

#include "resolve_place.h"

bool place_is_known(const struct policy_image *image, const struct resolve_outcome *outcome)
{
	return image->targets[outcome->target].action != UBLKPOL_ACTION_CONCAT;
}

bool place_keeps_offsets(const struct policy_image *image, __u32 target)
{
	return image->targets[target].action != UBLKPOL_ACTION_STRIPE;
}

/* As ublkpol_hash() of the program */
static __u64 place_hash(__u64 chunk)
{
	chunk = (chunk ^ chunk >> 30) * 0xbf58476d1ce4e5b9ULL;
	chunk = (chunk ^ chunk >> 27) * 0x94d049bb133111ebULL;
	return chunk ^ chunk >> 31;
}

/* The leg of a hash on which @position lies */
static __u32 place_hash_leg(const struct policy_image *image, const struct ublkpol_target *hash,
			    __u64 position)
{
	__u64 chunk = hash->chunk / RESOLVE_SECTOR;

	return image->legs[hash->first_leg +
			   ((place_hash(position / chunk) >> 32) * hash->nr_legs >> 32)];
}

void place_next_shares(const struct ublkpol_target *x, const struct ublkpol_target *y, __u32 *i,
		       __u32 *k)
{
	__u64 end_of_x = (*i + 1ULL) * y->nr_legs;
	__u64 end_of_y = (*k + 1ULL) * x->nr_legs;

	*i += end_of_x <= end_of_y;
	*k += end_of_y <= end_of_x;
}

struct place place_of(const struct policy_image *image, const struct resolve_outcome *outcome,
		      __u64 lba)
{
	const struct ublkpol_target *target = &image->targets[outcome->target];
	const __u32 *legs = image->legs + target->first_leg;
	__u64 chunk = target->chunk / RESOLVE_SECTOR;
	__u64 position = lba + (__u64)outcome->delta;
	struct place place = { .sector = position, .run = ~0ULL };

	switch (target->action) {
	case UBLKPOL_ACTION_STRIPE:
		place.backends = 1ULL << legs[position / chunk % target->nr_legs];
		place.sector = position / chunk / target->nr_legs * chunk + position % chunk;
		place.run = chunk - position % chunk;
		break;
	case UBLKPOL_ACTION_HASH:
		place.backends = 1ULL << place_hash_leg(image, target, position);
		place.run = chunk - position % chunk;
		break;
	default:
		for (__u32 i = 0; i < target->nr_legs; i++)
			place.backends |= 1ULL << legs[i];
		break;
	}
	return place;
}

bool place_holds(const struct policy_image *image, const struct place_extent *extent, __u64 sector,
		 __u64 *run)
{
	const struct ublkpol_target *target = &image->targets[extent->target];
	__u64 chunk = target->chunk / RESOLVE_SECTOR;

	*run = extent->last - sector;
	if (target->action != UBLKPOL_ACTION_HASH)
		return true;
	if (*run > chunk - sector % chunk)
		*run = chunk - sector % chunk;
	return place_hash_leg(image, target, sector) == extent->backend;
}

__u64 place_lba_of(const struct policy_image *image, const struct place_extent *extent,
		   __u64 sector, __u64 *run)
{
	const struct ublkpol_target *target = &image->targets[extent->target];
	__u64 chunk = target->chunk / RESOLVE_SECTOR;

	if (place_keeps_offsets(image, extent->target)) {
		*run = extent->last - sector;
		return sector - (__u64)extent->delta;
	}
	*run = chunk - sector % chunk;
	return (sector / chunk * target->nr_legs + extent->leg) * chunk + sector % chunk -
	       (__u64)extent->delta;
}

/* Sectors of leg @leg that lie before @position of the stripe */
static __u64 place_leg_sectors(const struct ublkpol_target *target, __u32 leg, __u64 position)
{
	__u64 chunk = target->chunk / RESOLVE_SECTOR;
	__u64 row = chunk * target->nr_legs;
	__u64 inside = position % row;
	__u64 before = leg * chunk;

	inside = inside <= before ? 0 : inside - before < chunk ? inside - before : chunk;
	return position / row * chunk + inside;
}

struct place_extent place_extent_of(const struct policy_image *image,
				    const struct ublkpol_segment *segment,
				    const struct resolve_outcome *outcome, __u32 leg)
{
	const struct ublkpol_target *target = &image->targets[outcome->target];
	struct place_extent extent = {
		.backend = image->legs[target->first_leg + leg],
		.first = segment->start + (__u64)outcome->delta,
		.last = segment->end + (__u64)outcome->delta,
		.rule = outcome->rule,
		.target = outcome->target,
		.delta = outcome->delta,
	};

	if (target->action == UBLKPOL_ACTION_STRIPE) {
		extent.leg = leg;
		extent.first = place_leg_sectors(target, leg, extent.first);
		extent.last = place_leg_sectors(target, leg, extent.last);
	}
	return extent;
}

static int place_add_extent(struct place_extents *extents, size_t *room,
			    const struct place_extent *extent)
{
	if (extents->nr == *room) {
		size_t bigger = *room ? 2 * *room : 256;
		struct place_extent *list = realloc(extents->list, bigger * sizeof(*list));

		if (!list)
			return -ENOMEM;
		extents->list = list;
		*room = bigger;
	}
	extents->list[extents->nr++] = *extent;
	return 0;
}

static int place_add_outcome(const struct resolve *r, struct place_extents *extents, size_t *room,
			     const struct ublkpol_segment *segment,
			     const struct resolve_outcome *outcome, enum ublkpol_direction dir)
{
	__u64 seen = 0;
	int ret = 0;

	for (__u32 leg = 0; !ret && leg < r->image->targets[outcome->target].nr_legs; leg++) {
		struct place_extent extent = place_extent_of(r->image, segment, outcome, leg);

		/* A hash has a leg as often as it has shares */
		if (seen & 1ULL << extent.backend)
			continue;
		seen |= 1ULL << extent.backend;
		extent.dir = dir;
		ret = place_add_extent(extents, room, &extent);
	}
	return ret;
}

int place_extents_collect(const struct resolve *r, struct place_extents *extents)
{
	size_t room = 0;
	int ret = 0;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		const struct ublkpol_segment *part = resolve_part(r->layout, dir);

		for (__u32 i = 0; i < r->layout->nr_segments[dir]; i++) {
			for (unsigned int k = 0; !ret && k < resolve_nr_outcomes(&part[i]); k++) {
				struct resolve_outcome outcome =
					resolve_outcome(r->layout, &part[i], k);

				if (resolve_is_mapped(r->image, &outcome) &&
				    place_is_known(r->image, &outcome))
					ret = place_add_outcome(r, extents, &room, &part[i],
								&outcome, dir);
			}
		}
	}
	return ret;
}
