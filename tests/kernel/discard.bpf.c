// SPDX-License-Identifier: GPL-2.0
/*
 * Discards and write-zeroes. The device is cut into regions; requests do not
 * cross them. Reads and writes fail, so that nobody zeroes the device by
 * writing to it.
 */
#include <asm-generic/errno-base.h>
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "discard_regions.h"
#include "ublk_program.h"

__u32 nr_discards;
__u32 nr_unmapping; /* write-zeroes that may unmap */
__u32 nr_not_unmapping;

/* On a backend it is where it is on the device */
static long zero_part(struct ublk_bpf_ctx *ctx, __s32 slot, __u32 mode, __u64 addr, __u32 len)
{
	return queue_fallocate(ctx, slot, mode, (ctx->start_sector << 9) + addr, addr, len);
}

static void count(struct ublk_bpf_ctx *ctx)
{
	if (ctx->op == UBLK_IO_OP_DISCARD)
		__sync_fetch_and_add(&nr_discards, 1);
	else if (ctx->flags & UBLK_IO_F_NOUNMAP)
		__sync_fetch_and_add(&nr_not_unmapping, 1);
	else
		__sync_fetch_and_add(&nr_unmapping, 1);
}

SEC("ublk") int discard(struct ublk_bpf_ctx *ctx)
{
	__u64 region = ctx->start_sector / (DISCARD_REGION_BYTES / 512);
	__u32 len = ctx->nr_sectors << 9;
	__u32 half = len / 8192 * 4096;
	__u32 mode = fallocate_mode(ctx);

	if (ctx->op == UBLK_IO_OP_FLUSH) {
		queue_fsync(ctx, 0);
		queue_fsync(ctx, 1);
		return UBLK_BPF_SUBMIT;
	}
	if (ctx->op != UBLK_IO_OP_DISCARD && ctx->op != UBLK_IO_OP_WRITE_ZEROES)
		return -EIO;
	count(ctx);

	switch (region) {
	case DISCARD_ONE:
		zero_part(ctx, 0, mode, 0, len);
		break;
	case DISCARD_BOTH:
		zero_part(ctx, 0, mode, 0, len);
		zero_part(ctx, 1, mode, 0, len);
		break;
	case DISCARD_SPLIT:
		zero_part(ctx, 0, mode, 0, half);
		zero_part(ctx, 1, mode, half, len - half);
		break;
	case DISCARD_DROP:
		queue_nothing(ctx, 0, len);
		break;
	case DISCARD_HALF_DROP:
		queue_nothing(ctx, 0, half);
		zero_part(ctx, 0, mode, half, len - half);
		break;
	case DISCARD_GAP:
		zero_part(ctx, 0, mode, half, len - half);
		break;
	case DISCARD_TOO_LONG:
		zero_part(ctx, 0, mode, 0, len + 4096);
		break;
	case DISCARD_OTHER_MODE:
		zero_part(ctx, 0, mode == ZERO_RANGE ? PUNCH_HOLE : FALLOC_FL_ZERO_RANGE, 0, len);
		break;
	case DISCARD_AS_WRITE:
		queue_rw(ctx, 0, ctx->start_sector << 9, 0, len);
		break;
	default: /* DISCARD_LARGE and what lies behind its beginning */
		zero_part(ctx, 1, mode, 0, len);
	}
	return UBLK_BPF_SUBMIT;
}

char _license[] SEC("license") = "GPL";
