/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_ROUTE_H
#define UBLKPOL_ROUTE_H

/*
 * Second part of every policy program: from a request to SQEs. Nearly every
 * request lies inside one segment and one chunk: it takes one search and one
 * SQE. The others are cut piece by piece in ublkpol_split().
 */

/* Which rule serves a part of a request, and how: see struct ublkpol_segment */
struct ublkpol_decision {
	__s64 delta;
	__u64 end; /* of the segment */
	__u64 mask;
	__u32 rule;
	__u32 target;
	__u32 modifiers;
	__u32 first_choice;
	__u32 mirror;
	__u32 retry_mirror;
	__u32 degrade;
};

#define UBLKPOL_DECISION(segment)                        \
	((struct ublkpol_decision){                      \
		.delta = (segment)->delta,               \
		.end = (segment)->end,                   \
		.mask = (segment)->mask,                 \
		.rule = (segment)->rule,                 \
		.target = (segment)->target,             \
		.modifiers = (segment)->modifiers,       \
		.first_choice = (segment)->first_choice, \
		.mirror = (segment)->mirror,             \
		.retry_mirror = (segment)->retry_mirror, \
		.degrade = (segment)->degrade,           \
	})

/* --- the segment of a sector --- */

/* The first entry that ends after @sector, in a part small enough to be constant */
static __always_inline bool ublkpol_find_inlined(__u32 dir, __u64 sector, __u32 *index,
						 struct ublkpol_decision *decision)
{
	ublkpol_unrolled for (__u32 i = 0; i < UBLKPOL_INLINE_SEGMENTS; i++)
	{
		if (sector < ublkpol_config.inlined[dir][i].end) {
			*index = (dir == UBLKPOL_DIR_WRITE ? ublkpol_config.nr_read_segments : 0) +
				 i;
			*decision = UBLKPOL_DECISION(&ublkpol_config.inlined[dir][i]);
			return true;
		}
	}
	return false;
}

/*
 * How many children of @node end before @sector. Without branches: the verifier would
 * follow each of them to every child.
 */
static __always_inline __u32 ublkpol_child(const struct ublkpol_node *node, __u64 sector)
{
	__u64 child = 0;

	ublkpol_unrolled for (__u32 half = UBLKPOL_NODE_CHILDREN / 2; half; half /= 2)
	{
		__s64 is_behind = (node->last_sector[child + half - 1] - (__s64)sector) >> 63;

		child += half & (__u64)is_behind;
	}
	return child;
}

/* The same in maps, for parts of any size */
static __always_inline bool ublkpol_find_in_map(__u32 dir, __u64 sector, __u32 *index,
						struct ublkpol_decision *decision)
{
	const struct ublkpol_segment *entry;
	const struct ublkpol_bucket *bucket;
	const struct ublkpol_node *node;
	__u32 at;

	bucket = ublkpol_bucket_at(ublkpol_search.first_bucket[dir] +
				   (sector >> ublkpol_search.shift[dir]));
	if (!bucket)
		return false;
	at = bucket->at;
	for (__u32 i = 0; i < UBLKPOL_MAX_LEVELS && i < bucket->level; i++) {
		node = ublkpol_node_at(at);
		if (!node)
			return false;
		at = node->first + ublkpol_child(node, sector);
	}

	entry = ublkpol_segment_at(at);
	if (!entry)
		return false;
	*index = at;
	*decision = UBLKPOL_DECISION(entry);
	return true;
}

static __always_inline bool ublkpol_find(__u32 dir, __u64 sector, __u32 *index,
					 struct ublkpol_decision *decision)
{
	__u32 nr = dir == UBLKPOL_DIR_READ ? ublkpol_config.nr_read_segments
					   : ublkpol_config.nr_write_segments;

	return nr <= UBLKPOL_INLINE_SEGMENTS ? ublkpol_find_inlined(dir, sector, index, decision)
					     : ublkpol_find_in_map(dir, sector, index, decision);
}

/* --- the rule --- */

#if UBLKPOL_NR_CONDITIONS
/*
 * The first conditional rule of the segment that matches takes the place of its
 * last rule. A turn of the loop that does not end it used up a tick.
 */
static __always_inline int ublkpol_choose(struct ublkpol_request *rq,
					  struct ublkpol_decision *decision)
{
	for (int i = 0; i <= UBLKPOL_NR_TICKS; i++) {
		__u64 match = decision->mask & rq->match;
		__u64 bit = match & -match;
		const struct ublkpol_choice *choice;

		if (!match)
			return 0;
		choice = ublkpol_choice_at(decision->first_choice +
					   __builtin_popcountll(decision->mask & (bit - 1)));
		if (!choice)
			return -EIO;
#if UBLKPOL_NR_TICKS
		if (rq->pending & bit) {
			rq->pending &= ~bit;
			if (policy_tick(choice->rule) == !!(rq->inverted & bit)) {
				rq->match &= ~bit;
				continue;
			}
		}
#endif
		decision->delta = choice->delta;
		decision->rule = choice->rule;
		decision->target = choice->target;
		decision->modifiers = choice->modifiers;
		decision->mirror = choice->mirror;
		return 0;
	}
	return -EIO;
}
#else
static __always_inline int ublkpol_choose(struct ublkpol_request *rq,
					  struct ublkpol_decision *decision)
{
	(void)rq;
	(void)decision;
	return 0;
}
#endif

/* A piece that failed is counted too: that is how an error rule shows up */
static __always_inline void ublkpol_count_rule(struct ublkpol_request *rq, __u32 rule,
					       __u32 modifiers ublkpol_unused, __u32 requests,
					       __u64 bytes)
{
	ublkpol_count(rule < UBLKPOL_NR_RULES ? rule : UBLKPOL_ENTRY_UNMATCHED, rq->op_counter,
		      requests, bytes);
#if UBLKPOL_NR_MODIFIERS
	if (modifiers)
		policy_modify(rq, modifiers, rule, requests, bytes);
#endif
}

/* --- SQEs --- */

static __always_inline int ublkpol_queue_one(void *ctx, const struct ublkpol_request *rq,
					     const struct ublkpol_piece *piece, __u32 slot)
{
	__u64 bytes = (__u64)piece->sectors << UBLKPOL_SECTOR_SHIFT;
	struct io_uring_sqe sqe = {};

	sqe.off = piece->offset << UBLKPOL_SECTOR_SHIFT;
	if (rq->op <= UBLK_IO_OP_WRITE) {
		sqe.opcode = rq->op == UBLK_IO_OP_READ ? IORING_OP_READ : IORING_OP_WRITE;
		sqe.addr = piece->payload;
		sqe.len = bytes;
	} else {
		sqe.opcode = IORING_OP_FALLOCATE;
		sqe.addr = bytes;
		sqe.len = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE;
		if (rq->op == UBLK_IO_OP_WRITE_ZEROES && rq->flags & UBLK_IO_F_NOUNMAP)
			sqe.len = FALLOC_FL_KEEP_SIZE | FALLOC_FL_ZERO_RANGE;
		sqe.user_data = piece->payload;
	}
	if (ublkpol_queue_sqe(ctx, &sqe, slot))
		return -EIO;
	ublkpol_count(UBLKPOL_ENTRY_BACKEND(slot), rq->op_counter, 1, bytes);
	return 0;
}

/* Reads as zeroes, or is not written */
static __always_inline int ublkpol_queue_nothing(void *ctx, const struct ublkpol_request *rq,
						 const struct ublkpol_piece *piece)
{
	struct io_uring_sqe sqe = {};

	sqe.opcode = IORING_OP_NOP;
	sqe.addr = piece->payload;
	sqe.len = (__u64)piece->sectors << UBLKPOL_SECTOR_SHIFT;
	return ublkpol_queue_sqe(ctx, &sqe,
				 rq->op == UBLK_IO_OP_READ ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP)
		       ? -EIO
		       : 0;
}

#if UBLKPOL_NR_MIRRORS
/* Few are queued in place, many by a function of their own */
#if UBLKPOL_MAX_COPIES <= 4
#define UBLKPOL_COPIES static __always_inline
#else
#define UBLKPOL_COPIES UBLKPOL_GLOBAL
#endif

/* A write to all legs that may be used */
UBLKPOL_COPIES int ublkpol_queue_copies(void *ctx ublkpol_ctx,
					const struct ublkpol_request *rq ublkpol_nonnull,
					const struct ublkpol_piece *piece ublkpol_nonnull)
{
	int err = -EIO;

	for (__u32 i = 0; i < piece->nr_legs && i < UBLKPOL_MAX_COPIES; i++) {
		const __u32 *leg = ublkpol_leg_at(piece->first_leg + i);

		if (!leg)
			return -EIO;
		if (!ublkpol_is_good(piece->mirror, *leg))
			continue;
		err = ublkpol_queue_one(ctx, rq, piece, *leg);
		if (err)
			return err;
	}
	return err;
}

/* A read of @slot, or of another leg if that one must not be read any more */
static __always_inline int ublkpol_queue_read(void *ctx, const struct ublkpol_request *rq,
					      const struct ublkpol_piece *piece, __u32 mirror)
{
	const struct ublkpol_mirror *state = ublkpol_mirror_at(mirror);
	__u32 slot = piece->slot;
	__u64 good;

	if (!state)
		return -EIO;
	good = ublkpol_readable(state);
	if ((state->legs & ~good) >> (slot & 63) & 1) {
		if (!good)
			return -EIO;
		slot = __builtin_popcountll((good & -good) - 1);
	}
	return ublkpol_queue_one(ctx, rq, piece, slot);
}
#endif

/*
 * Takes from the verifier what it knows of a place: else it would follow each
 * mirror on its own through all that comes behind.
 */
static __always_inline void ublkpol_forget(const struct ublkpol_request *rq,
					   struct ublkpol_piece *piece)
{
#if UBLKPOL_NR_MIRRORS
	__u32 zero = ublkpol_some_zero(rq);

	piece->slot += zero;
	piece->first_leg += zero;
	piece->nr_legs += zero;
	piece->mirror += zero;
#else
	(void)rq;
	(void)piece;
#endif
}

/* Queues what policy_place() said, @result included; @mirror as the segment has it */
static __always_inline int ublkpol_queue_piece(void *ctx, const struct ublkpol_request *rq,
					       const struct ublkpol_piece *piece,
					       __u32 mirror ublkpol_unused, int result)
{
	if (result)
		return ublkpol_queue_nothing(ctx, rq, piece);
#if UBLKPOL_NR_MIRRORS
	if (piece->nr_legs)
		return ublkpol_queue_copies(ctx, rq, piece);
	if (mirror && rq->op == UBLK_IO_OP_READ)
		return ublkpol_queue_read(ctx, rq, piece, mirror - 1);
#endif
	return ublkpol_queue_one(ctx, rq, piece, piece->slot);
}

/* --- requests that are split --- */

/*
 * The state of a split. Each of its steps is a function that the verifier checks on
 * its own: else it would follow every target through every modifier, and both
 * through every copy of a mirror.
 */
struct ublkpol_progress {
	struct ublkpol_piece piece; /* the next one */
	__u64 sector; /* where it begins */
	__u64 left_here; /* sectors from there to the end of the segment */
	__u32 sectors; /* left to place */
	__u32 index; /* of the segment */
	__u32 rule; /* what struct ublkpol_decision says of it */
	__u32 modifiers;
	__u32 mirror;
	__u32 counted; /* the rule of the piece before, plus 2 (NO_RULE makes 1), or 0 */
	__u32 is_for_user; /* a rule hands it to the server */
};

/* Places the next piece; returns what policy_place() does */
UBLKPOL_GLOBAL int ublkpol_split_place(struct ublkpol_request *rq ublkpol_nonnull,
				       struct ublkpol_progress *progress ublkpol_nonnull)
{
	const struct ublkpol_segment *segment = ublkpol_segment_at(progress->index);
	struct ublkpol_piece *piece = &progress->piece;
	struct ublkpol_decision decision;

	piece->sectors = 0;
	progress->rule = UBLKPOL_NO_RULE;
	progress->modifiers = 0;
	if (!segment)
		return -EIO;
	decision = UBLKPOL_DECISION(segment);
	if (ublkpol_choose(rq, &decision))
		return -EIO;
	progress->left_here = decision.end - progress->sector;
	progress->rule = decision.rule;
	progress->modifiers = decision.modifiers;
	progress->mirror = decision.mirror;
	piece->pos = progress->sector + decision.delta;
	piece->sectors =
		progress->sectors < progress->left_here ? progress->sectors : progress->left_here;
	piece->nr_legs = 0;
	piece->is_write = rq->op != UBLK_IO_OP_READ;
	return policy_place(decision.target, piece);
}

UBLKPOL_GLOBAL int ublkpol_split_count(struct ublkpol_request *rq ublkpol_nonnull,
				       struct ublkpol_progress *progress ublkpol_nonnull)
{
	ublkpol_count_rule(rq, progress->rule, progress->modifiers,
			   progress->counted != progress->rule + 2,
			   (__u64)progress->piece.sectors << UBLKPOL_SECTOR_SHIFT);
	progress->counted = progress->rule + 2;
	return 0;
}

UBLKPOL_GLOBAL int ublkpol_split_queue(void *ctx ublkpol_ctx,
				       const struct ublkpol_request *rq ublkpol_nonnull,
				       const struct ublkpol_progress *progress ublkpol_nonnull,
				       int result)
{
	return ublkpol_queue_piece(ctx, rq, &progress->piece, progress->mirror, result);
}

UBLKPOL_GLOBAL int ublkpol_split_finish(void *ctx ublkpol_ctx,
					const struct ublkpol_request *rq ublkpol_nonnull)
{
	return ublkpol_finish(ctx, rq);
}

struct ublkpol_split {
	void *ctx;
	struct ublkpol_request *rq;
	struct ublkpol_progress progress;
	int err;
};

/* Serves one piece; returns 1 to end the loop */
static long ublkpol_split_step(__u64 i, struct ublkpol_split *split)
{
	struct ublkpol_progress *progress = &split->progress;
	int result;

	(void)i;
	result = ublkpol_split_place(split->rq, progress);
	ublkpol_split_count(split->rq, progress);
	if (result < 0 || result == UBLKPOL_UNMATCHED) {
		split->err = result < 0 ? result : -EIO;
		return 1;
	}
	/* All of the request goes on to the server, unless another rule fails it */
	progress->is_for_user |= result == UBLKPOL_USER;
	if (!progress->is_for_user &&
	    ublkpol_split_queue(split->ctx, split->rq, progress, result)) {
		split->err = -EIO;
		return 1;
	}

	if (progress->piece.sectors == progress->left_here)
		progress->index++;
	progress->sector += progress->piece.sectors;
	progress->piece.payload += (__u64)progress->piece.sectors << UBLKPOL_SECTOR_SHIFT;
	progress->sectors -= progress->piece.sectors;
	return progress->sectors == 0;
}

/* What @rq needs more than one SQE for; @index is its first segment */
static __noinline int ublkpol_split(void *ctx, struct ublkpol_request *rq, __u32 index)
{
	struct ublkpol_split split = {
		.ctx = ctx,
		.rq = rq,
		.progress = {
			.sector = rq->sector,
			.sectors = rq->sectors,
			.index = index,
		},
	};

	ublkpol_loop(UBLK_BPF_MAX_ITEMS, ublkpol_split_step, &split);
	if (split.err < 0 && split.err >= -4095)
		return split.err;
	if (split.progress.sectors)
		return -EIO;
	return split.progress.is_for_user ? UBLK_BPF_REDIRECT : ublkpol_split_finish(ctx, rq);
}

/* --- requests --- */

/* Serves what needs more than one SQE, from segment @index on */
static __always_inline int ublkpol_serve_pieces(void *ctx, struct ublkpol_request *rq, __u32 index)
{
#ifdef UBLKPOL_IS_LARGE
	(void)ctx;
	rq->segment = index;
	return UBLKPOL_SPLIT;
#else
	/* A copy, so that the request can stay in registers where it is not split */
	struct ublkpol_request copy = *rq;

	return ublkpol_split(ctx, &copy, index);
#endif
}

/* A request with addresses, of direction @dir, which is a constant */
static __always_inline int ublkpol_serve(void *ctx, struct ublkpol_request *rq, __u32 dir)
{
	struct ublkpol_decision decision;
	struct ublkpol_piece piece = {};
	__u32 index;
	int result;

	/* Behind the device's end, the table goes on with other entries */
	if (rq->sector >= ublkpol_config.dev_sectors ||
	    rq->sectors > ublkpol_config.dev_sectors - rq->sector)
		return -EIO;
	if (!ublkpol_find(dir, rq->sector, &index, &decision))
		return -EIO;
#if UBLKPOL_NR_MODIFIERS
	rq->hold = ublkpol_some_zero(rq);
#endif
#if UBLKPOL_NR_CONDITIONS
	if (dir == UBLKPOL_DIR_READ)
		policy_read_conditions(rq);
	else
		policy_write_conditions(rq);
#endif
	if (rq->sectors > decision.end - rq->sector)
		goto split;

	if (ublkpol_choose(rq, &decision))
		return -EIO;
	piece.pos = rq->sector + decision.delta;
	piece.sectors = rq->sectors;
	piece.is_write = dir == UBLKPOL_DIR_WRITE;
	result = policy_place(decision.target, &piece);
	ublkpol_forget(rq, &piece);
	if (!result && piece.sectors < rq->sectors)
		goto split;

	ublkpol_count_rule(rq, decision.rule, decision.modifiers, 1,
			   (__u64)rq->sectors << UBLKPOL_SECTOR_SHIFT);
	if (result < 0)
		return result >= -4095 ? result : -EIO;
	if (result == UBLKPOL_UNMATCHED)
		return -EIO;
	if (result == UBLKPOL_USER)
		return UBLK_BPF_REDIRECT;
	if (ublkpol_queue_piece(ctx, rq, &piece, decision.mirror, result))
		return -EIO;
	return ublkpol_finish(ctx, rq);
split:
	return ublkpol_serve_pieces(ctx, rq, index);
}

#ifdef UBLKPOL_IS_LARGE
UBLKPOL_GLOBAL int ublkpol_serve_read(void *ctx ublkpol_ctx,
				      struct ublkpol_request *rq ublkpol_nonnull)
{
	return ublkpol_serve(ctx, rq, UBLKPOL_DIR_READ);
}

UBLKPOL_GLOBAL int ublkpol_serve_write(void *ctx ublkpol_ctx,
				       struct ublkpol_request *rq ublkpol_nonnull)
{
	return ublkpol_serve(ctx, rq, UBLKPOL_DIR_WRITE);
}

static __always_inline int ublkpol_serve_dir(void *ctx, struct ublkpol_request *rq, __u32 dir)
{
	int result;

	result = dir == UBLKPOL_DIR_READ ? ublkpol_serve_read(ctx, rq)
					 : ublkpol_serve_write(ctx, rq);
	return result == UBLKPOL_SPLIT ? ublkpol_split(ctx, rq, rq->segment) : result;
}
#else
static __always_inline int ublkpol_serve_dir(void *ctx, struct ublkpol_request *rq, __u32 dir)
{
	return ublkpol_serve(ctx, rq, dir);
}
#endif

/* What every shim calls; returns UBLK_BPF_SUBMIT, UBLK_BPF_REDIRECT or a negative errno */
static __always_inline int ublkpol_run(void *ctx, struct ublkpol_request *rq)
{
	switch (rq->op) {
	case UBLK_IO_OP_READ:
		rq->op_counter = UBLKPOL_COUNT_READ;
		return ublkpol_serve_dir(ctx, rq, UBLKPOL_DIR_READ);
	case UBLK_IO_OP_WRITE:
	case UBLK_IO_OP_DISCARD:
	case UBLK_IO_OP_WRITE_ZEROES:
		rq->op_counter = rq->op == UBLK_IO_OP_WRITE	? UBLKPOL_COUNT_WRITE
				 : rq->op == UBLK_IO_OP_DISCARD ? UBLKPOL_COUNT_DISCARD
								: UBLKPOL_COUNT_WRITE_ZEROES;
		return ublkpol_serve_dir(ctx, rq, UBLKPOL_DIR_WRITE);
	case UBLK_IO_OP_FLUSH:
		rq->op_counter = UBLKPOL_COUNT_FLUSH;
		return policy_flush(ctx, rq);
	default:
		return -EOPNOTSUPP;
	}
}

UBLKPOL_ENTRY

#endif
