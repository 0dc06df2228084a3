// SPDX-License-Identifier: GPL-2.0-only
/* The search trees of the segment table, and the index into them */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "resolve_internal.h"

#define INDEX_MAX_BUCKETS (1U << 18) /* of one direction: 2 MiB */

/* The tree of one part of the segment table; its levels follow each other, the lowest first */
struct index_tree {
	const struct ublkpol_segment *part;
	__u32 first_segment; /* of the part, in the table */
	__u32 first_node[UBLKPOL_MAX_LEVELS]; /* of each level, in layout->nodes */
	__u32 nr_nodes[UBLKPOL_MAX_LEVELS];
	__u32 nr_levels;
};

static __u32 index_parents(__u32 children)
{
	return (children - 1) / UBLKPOL_NODE_CHILDREN + 1;
}

/* Says how the tree looks, and adds its nodes to those of the layout */
static void index_plan_tree(struct resolve_layout *layout, int dir, struct index_tree *tree)
{
	__u32 children = layout->nr_segments[dir];

	tree->part = resolve_part(layout, dir);
	tree->first_segment = (__u32)(tree->part - layout->segments);
	tree->nr_levels = 0;
	do {
		children = index_parents(children);
		tree->first_node[tree->nr_levels] = layout->nr_nodes;
		tree->nr_nodes[tree->nr_levels++] = children;
		layout->nr_nodes += children;
	} while (children > 1);
}

/* The last sector of child number @child of @level, of @nr children */
static __s64 index_last_sector(const struct index_tree *tree, __u32 level, __u64 child, __u32 nr)
{
	__u64 end = child + 1;

	if (end >= nr)
		return INT64_MAX;
	for (__u32 i = 0; i < level; i++)
		end *= UBLKPOL_NODE_CHILDREN;
	return (__s64)tree->part[end - 1].end - 1;
}

static void index_fill_tree(struct resolve_layout *layout, int dir, const struct index_tree *tree)
{
	__u32 nr = layout->nr_segments[dir];
	__u32 first = tree->first_segment;

	for (__u32 level = 0; level < tree->nr_levels; level++) {
		for (__u32 n = 0; n < tree->nr_nodes[level]; n++) {
			struct ublkpol_node *node = &layout->nodes[tree->first_node[level] + n];
			__u64 child = (__u64)n * UBLKPOL_NODE_CHILDREN;

			node->first = first + child;
			for (__u32 i = 0; i < UBLKPOL_NODE_CHILDREN - 1; i++)
				node->last_sector[i] =
					index_last_sector(tree, level, child + i, nr);
		}
		nr = tree->nr_nodes[level];
		first = tree->first_node[level];
	}
}

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

static void index_plan_buckets(struct resolve_layout *layout, int dir)
{
	layout->search.shift[dir] = index_shift(layout, dir);
	layout->search.first_bucket[dir] = layout->nr_buckets;
	layout->nr_buckets += (__u32)((layout->dev_sectors - 1) >> layout->search.shift[dir]) + 1;
}

/* What has the segments @first to @last of the part below it, as low as there is */
static struct ublkpol_bucket index_bucket(const struct index_tree *tree, __u32 first, __u32 last)
{
	__u32 level = 0;

	while (first != last) {
		first /= UBLKPOL_NODE_CHILDREN;
		last /= UBLKPOL_NODE_CHILDREN;
		level++;
	}
	return (struct ublkpol_bucket){
		.at = first + (level ? tree->first_node[level - 1] : tree->first_segment),
		.level = level,
	};
}

static void index_fill_buckets(struct resolve_layout *layout, int dir,
			       const struct index_tree *tree)
{
	__u32 shift = layout->search.shift[dir];
	__u32 nr = (__u32)((layout->dev_sectors - 1) >> shift) + 1;
	struct ublkpol_bucket *buckets = &layout->buckets[layout->search.first_bucket[dir]];
	__u32 first, segment = 0;

	for (__u32 i = 0; i < nr; i++) {
		__u64 last_sector = ((__u64)(i + 1) << shift) - 1;

		if (last_sector >= layout->dev_sectors)
			last_sector = layout->dev_sectors - 1;
		while (tree->part[segment].end <= (__u64)i << shift)
			segment++;
		first = segment;
		while (tree->part[segment].end <= last_sector)
			segment++;
		buckets[i] = index_bucket(tree, first, segment);
	}
}

int resolve_index(struct resolve_layout *layout)
{
	struct index_tree trees[UBLKPOL_NR_DIRS];

	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		index_plan_tree(layout, dir, &trees[dir]);
		index_plan_buckets(layout, dir);
	}
	layout->nodes = calloc(layout->nr_nodes, sizeof(*layout->nodes));
	layout->buckets = calloc(layout->nr_buckets, sizeof(*layout->buckets));
	if (!layout->nodes || !layout->buckets)
		return -ENOMEM;
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		index_fill_tree(layout, dir, &trees[dir]);
		index_fill_buckets(layout, dir, &trees[dir]);
	}
	return 0;
}
