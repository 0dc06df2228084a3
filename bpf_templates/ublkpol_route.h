/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_ROUTE_H
#define UBLKPOL_ROUTE_H

/*
 * Second part of every policy program: from a request to SQEs. Nearly every
 * request lies inside one segment and one chunk: it takes one search and one
 * SQE. The others are cut piece by piece in ublkpol_split().
 */

struct ublkpol_request {
	__u64 sector;
	__u32 sectors;
	__u32 dir; /* enum ublkpol_direction */
};

/* The first entry that ends after @sector, in a part small enough to be constant */
static __always_inline bool ublkpol_find_inlined(__u32 dir, __u64 sector, __u32 *index,
						 struct ublkpol_segment *segment)
{
	ublkpol_unrolled for (__u32 i = 0; i < UBLKPOL_INLINE_SEGMENTS; i++)
	{
		if (sector < ublkpol_config.inlined[dir][i].end) {
			*index = (dir == UBLKPOL_DIR_WRITE ? ublkpol_config.nr_read_segments : 0) +
				 i;
			segment->end = ublkpol_config.inlined[dir][i].end;
			segment->delta = ublkpol_config.inlined[dir][i].delta;
			segment->rule = ublkpol_config.inlined[dir][i].rule;
			segment->target = ublkpol_config.inlined[dir][i].target;
			return true;
		}
	}
	return false;
}

/* The same in the map, for parts of any size */
static __always_inline bool ublkpol_find_in_map(__u32 dir, __u64 sector, __u32 *index,
						struct ublkpol_segment *segment)
{
	const struct ublkpol_segment *entry;
	__u32 low = ublkpol_search.first[dir];
	__u32 high = ublkpol_search.end[dir];

	for (int i = 0; i < 32 && low < high; i++) {
		__u32 middle = low + (high - low) / 2;

		entry = ublkpol_segment_at(middle);
		if (!entry)
			return false;
		if (sector < entry->end)
			high = middle;
		else
			low = middle + 1;
	}

	entry = ublkpol_segment_at(low);
	if (!entry)
		return false;
	*index = low;
	*segment = *entry;
	return true;
}

static __always_inline bool ublkpol_find(__u32 dir, __u64 sector, __u32 *index,
					 struct ublkpol_segment *segment)
{
	__u32 nr = dir == UBLKPOL_DIR_READ ? ublkpol_config.nr_read_segments
					   : ublkpol_config.nr_write_segments;

	return nr <= UBLKPOL_INLINE_SEGMENTS ? ublkpol_find_inlined(dir, sector, index, segment)
					     : ublkpol_find_in_map(dir, sector, index, segment);
}

/* A piece that failed is counted too: that is how an error rule shows up */
static __always_inline void ublkpol_count_rule(__u32 rule, __u32 dir, __u32 requests, __u64 bytes)
{
	ublkpol_hide(dir);
	ublkpol_count(rule < UBLKPOL_NR_RULES ? rule : UBLKPOL_ENTRY_UNMATCHED, dir & 1, requests,
		      bytes);
}

static __always_inline int ublkpol_queue_piece(void *ctx, const struct ublkpol_piece *piece,
					       __u32 dir, __u32 payload)
{
	__u64 bytes = (__u64)piece->sectors << UBLKPOL_SECTOR_SHIFT;
	struct io_uring_sqe sqe = {};

	sqe.opcode = dir == UBLKPOL_DIR_READ ? IORING_OP_READ : IORING_OP_WRITE;
	sqe.off = piece->offset << UBLKPOL_SECTOR_SHIFT;
	sqe.addr = payload;
	sqe.len = bytes;
	if (ublkpol_queue_sqe(ctx, &sqe, piece->slot))
		return -EIO;

	ublkpol_hide(dir);
	ublkpol_count(UBLKPOL_ENTRY_BACKEND(piece->slot), dir & 1, 1, bytes);
	return 0;
}

struct ublkpol_split {
	void *ctx;
	__u64 sector; /* next one to place */
	__u32 sectors; /* left to place */
	__u32 payload; /* bytes placed */
	__u32 index; /* segment of @sector */
	__u32 counted; /* segment whose rule has this request, plus one */
	__u32 dir;
	int err;
};

/* Places one piece; returns 1 to end the loop */
static long ublkpol_split_step(__u64 i, struct ublkpol_split *split)
{
	const struct ublkpol_segment *segment;
	struct ublkpol_piece piece = {};
	__u64 left_here;
	__u32 bytes;
	int err;

	(void)i;
	segment = ublkpol_segment_at(split->index);
	if (!segment) {
		split->err = -EIO;
		return 1;
	}
	left_here = segment->end - split->sector;
	piece.pos = split->sector + segment->delta;
	piece.sectors = split->sectors < left_here ? split->sectors : left_here;

	err = policy_place(segment->target, &piece);
	bytes = piece.sectors << UBLKPOL_SECTOR_SHIFT;
	ublkpol_count_rule(segment->rule, split->dir, split->counted != split->index + 1, bytes);
	split->counted = split->index + 1;
	if (!err)
		err = ublkpol_queue_piece(split->ctx, &piece, split->dir, split->payload);
	if (err) {
		split->err = err < 0 ? err : -EIO;
		return 1;
	}

	if (piece.sectors == left_here)
		split->index++;
	split->sector += piece.sectors;
	split->payload += bytes;
	split->sectors -= piece.sectors;
	return split->sectors == 0;
}

/* What @request needs more than one SQE for; @index is its first segment */
static __noinline int ublkpol_split(void *ctx, const struct ublkpol_request *request, __u32 index)
{
	struct ublkpol_split split = {
		.ctx = ctx,
		.sector = request->sector,
		.sectors = request->sectors,
		.index = index,
		.dir = request->dir,
	};

	ublkpol_loop(UBLK_BPF_MAX_ITEMS, ublkpol_split_step, &split);
	if (split.err < 0 && split.err >= -4095)
		return split.err;
	return split.sectors ? -EIO : UBLK_BPF_SUBMIT;
}

static __always_inline int ublkpol_read_write(void *ctx, const struct ublkpol_request *request)
{
	struct ublkpol_segment segment;
	struct ublkpol_piece piece = {};
	__u32 index;
	int err;

	/* Behind the device's end, the table goes on with other entries */
	if (request->sector >= ublkpol_config.dev_sectors ||
	    request->sectors > ublkpol_config.dev_sectors - request->sector)
		return -EIO;
	if (!ublkpol_find(request->dir, request->sector, &index, &segment))
		return -EIO;
	if (request->sectors > segment.end - request->sector)
		return ublkpol_split(ctx, request, index);

	piece.pos = request->sector + segment.delta;
	piece.sectors = request->sectors;
	err = policy_place(segment.target, &piece);
	if (!err && piece.sectors < request->sectors)
		return ublkpol_split(ctx, request, index);

	ublkpol_count_rule(segment.rule, request->dir, 1,
			   (__u64)request->sectors << UBLKPOL_SECTOR_SHIFT);
	if (err)
		return err < 0 ? err : -EIO;
	return ublkpol_queue_piece(ctx, &piece, request->dir, 0);
}

/* What every shim calls; returns UBLK_BPF_SUBMIT or a negative errno */
static __always_inline int ublkpol_run(void *ctx, __u32 op, __u64 sector, __u32 sectors)
{
	struct ublkpol_request request = { .sector = sector, .sectors = sectors };

	switch (op) {
	case UBLK_IO_OP_READ:
		request.dir = UBLKPOL_DIR_READ;
		return ublkpol_read_write(ctx, &request);
	case UBLK_IO_OP_WRITE:
		request.dir = UBLKPOL_DIR_WRITE;
		return ublkpol_read_write(ctx, &request);
	case UBLK_IO_OP_FLUSH:
		return policy_flush(ctx);
	default:
		return -EOPNOTSUPP;
	}
}

UBLKPOL_ENTRY

#endif
