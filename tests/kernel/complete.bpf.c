// SPDX-License-Identifier: GPL-2.0
/*
 * Programs for a device one of whose two backends fails, see complete_regions.h
 * for what they do about it.
 */
#include <asm-generic/errno.h>
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "complete_regions.h"
#include "ublk_program.h"

#define BAD  0
#define GOOD 1

__u32 nr_runs; /* of the complete program */
__u32 last_attempt;
__u32 nr_wrong; /* fields of its context that are not what they should be */

static long queue_hold(struct ublk_bpf_ctx *ctx)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_TIMEOUT, .off = COMPLETE_HOLD_NS };

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), UBLK_BPF_FD_HOLD);
}

static __u64 region_of(struct ublk_bpf_ctx *ctx)
{
	return ctx->start_sector / (COMPLETE_REGION_BYTES / 512);
}

SEC("ublk") int route(struct ublk_bpf_ctx *ctx)
{
	__u64 off = ctx->start_sector << 9;
	__u32 len = ctx->nr_sectors << 9;
	__u32 half = len / 1024 * 512;

	if (ctx->op == UBLK_IO_OP_FLUSH) {
		queue_fsync(ctx, BAD);
		queue_fsync(ctx, GOOD);
		return UBLK_BPF_SUBMIT;
	}

	switch (region_of(ctx)) {
	case COMPLETE_MIRROR:
		queue_any(ctx, BAD, off, 0, len);
		if (ctx->op == UBLK_IO_OP_WRITE)
			queue_rw(ctx, GOOD, off, 0, len);
		break;
	case COMPLETE_HALF:
	case COMPLETE_OUTSIDE:
		if (half)
			queue_rw(ctx, GOOD, off, 0, half);
		queue_rw(ctx, BAD, off + half, half, len - half);
		break;
	case COMPLETE_HOLD:
		queue_rw(ctx, BAD, off, 0, len);
		if (ctx->op == UBLK_IO_OP_WRITE)
			queue_rw(ctx, BAD, off, 0, len);
		break;
	default:
		queue_rw(ctx, BAD, off, 0, len);
	}
	return UBLK_BPF_SUBMIT;
}

static __u32 opcode_of(const struct ublk_bpf_ctx *ctx)
{
	switch (ctx->op) {
	case UBLK_IO_OP_READ:
		return IORING_OP_READ;
	case UBLK_IO_OP_WRITE:
		return IORING_OP_WRITE;
	case UBLK_IO_OP_FLUSH:
		return IORING_OP_FSYNC;
	default:
		return IORING_OP_FALLOCATE;
	}
}

static void look_at(struct ublk_bpf_complete_ctx *ctx)
{
	/* the bad backend does not know write-zeroes */
	__s32 error = ctx->rq.op == UBLK_IO_OP_WRITE_ZEROES ? -EOPNOTSUPP : -EIO;

	__sync_fetch_and_add(&nr_runs, 1);
	last_attempt = ctx->attempt;
	if (ctx->item_slot != BAD || ctx->item_result != error ||
	    ctx->item_opcode != opcode_of(&ctx->rq))
		__sync_fetch_and_add(&nr_wrong, 1);
	if (ctx->rq.op != UBLK_IO_OP_FLUSH &&
	    (ctx->item_off != (ctx->rq.start_sector << 9) + ctx->item_addr ||
	     ctx->item_addr + ctx->item_len != ctx->rq.nr_sectors << 9))
		__sync_fetch_and_add(&nr_wrong, 1);
}

SEC("ublk/complete") int complete(struct ublk_bpf_complete_ctx *ctx)
{
	__u64 off = ctx->item_off;
	__u32 addr = ctx->item_addr;
	__u32 len = ctx->item_len;
	__u32 half = len / 1024 * 512;
	int i;

	look_at(ctx);
	if (ctx->rq.op == UBLK_IO_OP_FLUSH)
		return UBLK_BPF_SETTLE;

	switch (region_of(&ctx->rq)) {
	case COMPLETE_MIRROR:
		if (ctx->rq.op == UBLK_IO_OP_WRITE)
			return UBLK_BPF_SETTLE;
		queue_any(&ctx->rq, GOOD, off, addr, len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_STANDS:
		/* what is queued does not count then */
		queue_rw(&ctx->rq, GOOD, off, addr, len);
		return -ENOSPC;
	case COMPLETE_FOREVER:
		queue_rw(&ctx->rq, BAD, off, addr, len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_THIRD:
		queue_rw(&ctx->rq, ctx->attempt == 3 ? GOOD : BAD, off, addr, len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_HALF:
		queue_rw(&ctx->rq, GOOD, off, addr, len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_PARTS:
		if (half)
			queue_rw(&ctx->rq, GOOD, off, addr, half);
		queue_rw(&ctx->rq, GOOD, off + half, addr + half, len - half);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_TOO_MANY:
		for (i = 0; i <= COMPLETE_MAX_ITEMS; i++)
			queue_rw(&ctx->rq, GOOD, off + i * 512, addr + i * 512, 512);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_SETTLE:
		return UBLK_BPF_SETTLE;
	case COMPLETE_GAP:
		queue_rw(&ctx->rq, GOOD, off + half, addr + half, len - half);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_OUTSIDE:
		queue_rw(&ctx->rq, GOOD, off - addr, 0, addr + len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_NOTHING:
		return UBLK_BPF_SUBMIT;
	case COMPLETE_ZERO:
		queue_nothing(&ctx->rq, addr, len);
		return UBLK_BPF_SUBMIT;
	case COMPLETE_HOLD:
		queue_hold(&ctx->rq);
		queue_rw(&ctx->rq, GOOD, off, addr, len);
		return UBLK_BPF_SUBMIT;
	default: /* COMPLETE_ODD */
		return 77;
	}
}

char _license[] SEC("license") = "GPL";
