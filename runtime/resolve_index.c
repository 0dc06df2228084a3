// SPDX-License-Identifier: GPL-2.0-only
/* The buckets in front of a search: which segments can a sector lie in? */
#include <errno.h>
#include <stdlib.h>

#include "resolve_internal.h"

#define INDEX_MAX_BUCKETS (1U << 18) /* of one direction: 2 MiB */

/* The smallest bucket that does not make too many of them, twice as many as segments */
static __u32 index_shift(const struct resolve_layout *layout, int dir)
{
	__u64 wanted = 2ULL * layout->nr_segments[dir];
	__u32 shift = 0;

	if (wanted > INDEX_MAX_BUCKETS)
		wanted = INDEX_MAX_BUCKETS;
	while ((layout->dev_sectors - 1) >> shift >= wanted)
		shift++;
	return shift;
}

static void index_fill(struct resolve_layout *layout, int dir)
{
	const struct ublkpol_segment *part = resolve_part(layout, dir);
	__u32 first = (__u32)(part - layout->segments);
	__u32 shift = layout->search.shift[dir];
	__u32 nr = (__u32)((layout->dev_sectors - 1) >> shift) + 1;
	__u32 segment = 0;

	for (__u32 i = 0; i < nr; i++) {
		struct ublkpol_bucket *bucket =
			&layout->buckets[layout->search.first_bucket[dir] + i];
		__u64 last_sector = ((__u64)(i + 1) << shift) - 1;

		if (last_sector >= layout->dev_sectors)
			last_sector = layout->dev_sectors - 1;
		while (part[segment].end <= (__u64)i << shift)
			segment++;
		bucket->first = first + segment;
		while (part[segment].end <= last_sector)
			segment++;
		bucket->last = first + segment;
	}
}

int resolve_index(struct resolve_layout *layout)
{
	__u32 nr = 0;

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		layout->search.shift[dir] = index_shift(layout, dir);
		layout->search.first_bucket[dir] = nr;
		nr += (__u32)((layout->dev_sectors - 1) >> layout->search.shift[dir]) + 1;
	}
	layout->buckets = calloc(nr, sizeof(*layout->buckets));
	if (!layout->buckets)
		return -ENOMEM;
	layout->nr_buckets = nr;
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		index_fill(layout, dir);
	return 0;
}
