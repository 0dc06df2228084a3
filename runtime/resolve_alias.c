// SPDX-License-Identifier: GPL-2.0-only
/* Whether two LBAs lie on one sector of a backend */
#include <stdlib.h>
#include <linux/ublk_bpf.h>

#include "resolve_internal.h"
#include "resolve_place.h"

#define ALIAS_MAX_REPORTS 8 /* a wrong policy is wrong everywhere */
#define ALIAS_MAX_STEPS	  (1U << 20) /* chunks of hashes that are looked at for one they share */

static int alias_compare_extents(const void *a, const void *b)
{
	const struct place_extent *x = a, *y = b;

	if (x->backend != y->backend)
		return x->backend < y->backend ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return 0;
}

/* The LBA of sector 0 of an extent's leg, if the stripe reaches so far */
static __s64 alias_first_lba(const struct ublkpol_target *stripe, const struct place_extent *extent)
{
	return (__s64)(extent->leg * (__u64)(stripe->chunk / RESOLVE_SECTOR)) - extent->delta;
}

/* Do both extents lie in one and the same mapping? Then different LBAs keep apart */
static bool alias_same_map(const struct policy_image *image, const struct place_extent *a,
			   const struct place_extent *b)
{
	const struct ublkpol_target *x = &image->targets[a->target];
	const struct ublkpol_target *y = &image->targets[b->target];

	if (place_keeps_offsets(image, a->target) || place_keeps_offsets(image, b->target))
		return place_keeps_offsets(image, a->target) &&
		       place_keeps_offsets(image, b->target) && a->delta == b->delta;
	/* The other legs do not matter: the LBA of the first chunk, and how many lie between two */
	return x->chunk == y->chunk && x->nr_legs == y->nr_legs &&
	       alias_first_lba(x, a) == alias_first_lba(y, b);
}

/* Is all that lies on a backend of one mapping, as in most policies? Then nothing can collide */
static bool alias_is_impossible(const struct resolve *r, const struct place_extents *extents)
{
	const struct place_extent *first[UBLK_BPF_MAX_SLOTS] = { NULL };

	for (size_t i = 0; i < extents->nr; i++) {
		const struct place_extent *extent = &extents->list[i];

		if (!first[extent->backend])
			first[extent->backend] = extent;
		if (!alias_same_map(r->image, first[extent->backend], extent))
			return false;
	}
	return true;
}

/*
 * Are they legs of two hashes with the same chunks, and no share belongs to both?
 * Such as hash 1MiB { a b } and hash 1MiB { b a }: where one has a, the other has b.
 */
static bool alias_shares_differ(const struct policy_image *image, const struct place_extent *a,
				const struct place_extent *b)
{
	const struct ublkpol_target *x = &image->targets[a->target];
	const struct ublkpol_target *y = &image->targets[b->target];

	if (x->action != UBLKPOL_ACTION_HASH || y->action != UBLKPOL_ACTION_HASH ||
	    x->chunk != y->chunk)
		return false;
	for (__u32 i = 0, k = 0; i < x->nr_legs; place_next_shares(x, y, &i, &k)) {
		if (image->legs[x->first_leg + i] == a->backend &&
		    image->legs[y->first_leg + k] == b->backend)
			return false;
	}
	return true;
}

static __u64 alias_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

enum alias_answer {
	ALIAS_NONE,
	ALIAS_FOUND,
	ALIAS_UNKNOWN, /* too many chunks */
};

/*
 * Finds the first sector in both extents that is a different LBA in each. One step
 * for each pair is free, what it needs beyond is taken from @left.
 */
static enum alias_answer alias_find(const struct policy_image *image, const struct place_extent *a,
				    const struct place_extent *b, unsigned int *left, __u64 *sector)
{
	__u64 last = alias_min(a->last, b->last);

	if (alias_same_map(image, a, b) || alias_shares_differ(image, a, b))
		return ALIAS_NONE;
	*sector = b->first;
	while (*sector < last) {
		__u64 run_a, run_b, held_a, held_b;
		bool is_in_a = place_holds(image, a, *sector, &held_a);
		bool is_in_b = place_holds(image, b, *sector, &held_b);
		__u64 lba_a = place_lba_of(image, a, *sector, &run_a);
		__u64 lba_b = place_lba_of(image, b, *sector, &run_b);

		if (is_in_a && is_in_b && lba_a != lba_b)
			return ALIAS_FOUND;
		*sector += alias_min(alias_min(run_a, run_b), alias_min(held_a, held_b));
		if (*sector < last && !*left)
			return ALIAS_UNKNOWN;
		*left -= *sector < last;
	}
	return ALIAS_NONE;
}

/* Rules that alias do so in their reads, their writes and both: once is enough */
struct alias_pairs {
	struct {
		__u32 rules[2];
	} list[ALIAS_MAX_REPORTS];
	unsigned int nr;
};

static bool alias_pairs_add(struct alias_pairs *pairs, __u32 a, __u32 b)
{
	for (unsigned int i = 0; i < pairs->nr; i++) {
		const __u32 *known = pairs->list[i].rules;

		if ((known[0] == a && known[1] == b) || (known[0] == b && known[1] == a))
			return false;
	}
	pairs->list[pairs->nr].rules[0] = a;
	pairs->list[pairs->nr++].rules[1] = b;
	return true;
}

static void alias_report_found(struct resolve *r, const struct place_extent *a,
			       const struct place_extent *b, __u64 sector)
{
	char lba_a[RESOLVE_TEXT_SIZE], lba_b[RESOLVE_TEXT_SIZE], at[RESOLVE_TEXT_SIZE];
	char where[POLICY_IMAGE_WHERE_SIZE];
	__u64 run;

	resolve_print_lba(r, lba_a, place_lba_of(r->image, a, sector, &run));
	resolve_print_lba(r, lba_b, place_lba_of(r->image, b, sector, &run));
	resolve_report_pair(r, UBLKPOL_CHECK_ALIAS, b->rule, 0, a->rule,
			    "writing one of them would change the other",
			    "LBA %s and LBA %s (%s) both lie at %s of backend '%s'", lba_b, lba_a,
			    policy_image_where(r->image, &r->image->rules[a->rule], where),
			    resolve_print_lba(r, at, sector),
			    r->image->strings + r->image->backends[b->backend].name);
}

static void alias_report_unknown(struct resolve *r, const struct place_extent *a,
				 const struct place_extent *b)
{
	char where[POLICY_IMAGE_WHERE_SIZE];

	resolve_report_pair(r, UBLKPOL_CHECK_ALIAS, b->rule, 0, a->rule,
			    "let the rules use other parts of it, or other backends",
			    "after %u chunks it is not known whether two LBAs share a sector of "
			    "backend '%s' (%s)",
			    ALIAS_MAX_STEPS,
			    r->image->strings + r->image->backends[b->backend].name,
			    policy_image_where(r->image, &r->image->rules[a->rule], where));
}

void resolve_check_alias(struct resolve *r, struct place_extents *extents)
{
	struct alias_pairs pairs = { .nr = 0 };
	unsigned int left = ALIAS_MAX_STEPS;

	if (alias_is_impossible(r, extents))
		return;
	resolve_sort(extents->list, extents->nr, sizeof(*extents->list), alias_compare_extents);
	for (size_t i = 0; i < extents->nr; i++) {
		const struct place_extent *a = &extents->list[i];

		for (size_t j = i + 1; j < extents->nr; j++) {
			const struct place_extent *b = &extents->list[j];
			const struct place_extent *earlier = a->rule > b->rule ? b : a;
			const struct place_extent *later = a->rule > b->rule ? a : b;
			enum alias_answer answer;
			__u64 sector;

			if (b->backend != a->backend || b->first >= a->last)
				break;
			/* What nobody writes may be read in many places */
			if (a->dir == UBLKPOL_DIR_READ && b->dir == UBLKPOL_DIR_READ)
				continue;
			answer = alias_find(r->image, a, b, &left, &sector);
			if (answer == ALIAS_UNKNOWN) {
				alias_report_unknown(r, earlier, later);
				return;
			}
			if (answer == ALIAS_NONE || !alias_pairs_add(&pairs, a->rule, b->rule))
				continue;
			alias_report_found(r, earlier, later, sector);
			if (pairs.nr == ALIAS_MAX_REPORTS)
				return;
		}
	}
}
