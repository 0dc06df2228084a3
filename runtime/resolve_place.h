/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_RESOLVE_PLACE_H
#define RUNTIME_RESOLVE_PLACE_H

/* Where an LBA lies, and what lies on a sector of a backend */
#include "resolve_internal.h"

struct place {
	__u64 backends; /* bit b: backend b; several for a mirror */
	__u64 sector; /* on each of them */
	__u64 run; /* sectors from here that lie in one piece */
};

/** place_is_known() - false: a concat whose backends have no sizes yet */
bool place_is_known(const struct policy_image *image, const struct resolve_outcome *outcome);

/** place_of() - the place of @lba, whose outcome is known and leads to backends */
struct place place_of(const struct policy_image *image, const struct resolve_outcome *outcome,
		      __u64 lba);

/** place_keeps_offsets() - is position p of the target sector p of its backends? */
bool place_keeps_offsets(const struct policy_image *image, __u32 target);

/* What one outcome of a segment occupies on one backend: one stretch; of a hash, chunks of it */
struct place_extent {
	__u32 backend;
	__u32 leg; /* of a stripe; 0 for others */
	__u64 first; /* sectors on the backend */
	__u64 last;
	enum ublkpol_direction dir;
	__u32 rule;
	__u32 target;
	__s64 delta;
};

/** place_extent_of() - what is on leg @leg of the outcome's target, which is known */
struct place_extent place_extent_of(const struct policy_image *image,
				    const struct ublkpol_segment *segment,
				    const struct resolve_outcome *outcome, __u32 leg);

struct place_extents {
	struct place_extent *list; /* from malloc() */
	size_t nr;
};

/** place_extents_collect() - all of a layout; 0 or -ENOMEM */
int place_extents_collect(const struct resolve *r, struct place_extents *extents);

/**
 * place_holds() - is @sector, which is inside the extent, a part of it?
 * @run: set: for how many sectors the answer is the same
 */
bool place_holds(const struct policy_image *image, const struct place_extent *extent, __u64 sector,
		 __u64 *run);

/** place_lba_of() - the LBA of @sector of an extent, and how far that goes on in @run */
__u64 place_lba_of(const struct policy_image *image, const struct place_extent *extent,
		   __u64 sector, __u64 *run);

/**
 * place_next_shares() - walk through the pairs of shares, one of each hash, that some chunk has
 * @i: of @x, from 0; there is no further pair when it is @x->nr_legs
 * @k: of @y, from 0
 *
 * The hashes have chunks of one size, so that a chunk has the same fraction in both.
 */
void place_next_shares(const struct ublkpol_target *x, const struct ublkpol_target *y, __u32 *i,
		       __u32 *k);

/** resolve_check_alias() - reports sectors of backends that belong to two LBAs; sorts @extents */
void resolve_check_alias(struct resolve *r, struct place_extents *extents);

#endif
