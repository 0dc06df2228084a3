// SPDX-License-Identifier: GPL-2.0
/*
 * A program as a user would write it without the compiler, see
 * docs/kernel-abi.md, every part of which it uses. Slots 0 and 1 work, slot 2 fails
 * all that it is asked for. The device is cut into regions of region_sectors;
 * requests do not cross them (chunk_sectors).
 */
#include <asm-generic/errno.h>
#include <linux/falloc.h>
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "regions.h"

#define SEC(name)      __attribute__((section(name), used))
#define HELPER_BY_NAME 0x5b1c /* the loader puts the kernel's number here */

static long (*const bpf_ublk_queue_sqe)(struct ublk_bpf_ctx *ctx, const void *sqe, __u32 sqe_len,
					__s32 fd) = (void *)HELPER_BY_NAME;

#define BAD_SLOT 2

const volatile __u64 region_sectors = 2048;
struct by_hand_record record;

static long queue_rw(struct ublk_bpf_ctx *ctx, __s32 slot, __u64 off, __u64 addr, __u32 len)
{
	struct io_uring_sqe sqe = {
		.opcode = ctx->op == UBLK_IO_OP_READ ? IORING_OP_READ : IORING_OP_WRITE,
		.off = off,
		.addr = addr,
		.len = len,
	};

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), slot);
}

static long queue_nothing(struct ublk_bpf_ctx *ctx, __u64 addr, __u32 len)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP, .addr = addr, .len = len };

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe),
				  ctx->op == UBLK_IO_OP_READ ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP);
}

static long hold(struct ublk_bpf_ctx *ctx, __u64 nanoseconds)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_TIMEOUT, .off = nanoseconds };

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), UBLK_BPF_FD_HOLD);
}

static long queue_fallocate(struct ublk_bpf_ctx *ctx, __s32 slot, __u64 addr, __u32 len)
{
	__u32 mode = FALLOC_FL_PUNCH_HOLE;

	if (ctx->op == UBLK_IO_OP_WRITE_ZEROES && ctx->flags & UBLK_IO_F_NOUNMAP)
		mode = FALLOC_FL_ZERO_RANGE;

	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_FALLOCATE,
		.off = (ctx->start_sector << 9) + addr,
		.addr = len,
		.len = mode | FALLOC_FL_KEEP_SIZE,
		.user_data = addr,
	};

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), slot);
}

/* The second backend's metadata need not be durable, as fdatasync() has it */
static int flush(struct ublk_bpf_ctx *ctx)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_FSYNC };

	bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), 0);
	sqe.fsync_flags = IORING_FSYNC_DATASYNC;
	bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), 1);
	return UBLK_BPF_SUBMIT;
}

/* DISCARD and WRITE_ZEROES, which have a range and no payload */
static int zero(struct ublk_bpf_ctx *ctx)
{
	__u32 len = ctx->nr_sectors << 9;
	__u32 half = len / 8192 * 4096;

	switch (ctx->start_sector / region_sectors) {
	case REGION_SLOT0:
		queue_fallocate(ctx, 0, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_MIRROR:
		queue_fallocate(ctx, 0, 0, len);
		queue_fallocate(ctx, 1, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_HALF_ZERO:
		queue_nothing(ctx, 0, half);
		queue_fallocate(ctx, 0, half, len - half);
		return UBLK_BPF_SUBMIT;
	default:
		return -EOPNOTSUPP;
	}
}

static void note_request(struct ublk_bpf_ctx *ctx)
{
	record.start_sector = ctx->start_sector;
	record.nr_sectors = ctx->nr_sectors;
	record.op = ctx->op;
	record.flags = ctx->flags;
	record.dev_id = ctx->dev_id;
	record.q_id = ctx->q_id;
	record.tag = ctx->tag;
	record.ioprio = ctx->ioprio;
	record.cpu = ctx->cpu;
}

SEC("ublk") int by_hand(struct ublk_bpf_ctx *ctx)
{
	__u64 off = ctx->start_sector << 9;
	__u32 len = ctx->nr_sectors << 9;
	__u32 half = len / 1024 * 512;

	if (ctx->op == UBLK_IO_OP_FLUSH)
		return flush(ctx);
	note_request(ctx);
	if (ctx->op == UBLK_IO_OP_DISCARD || ctx->op == UBLK_IO_OP_WRITE_ZEROES)
		return zero(ctx);

	switch (ctx->start_sector / region_sectors) {
	case REGION_SLOT0:
		queue_rw(ctx, 0, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_SLOT1:
		queue_rw(ctx, 1, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_MIRROR:
		queue_rw(ctx, 0, off, 0, len);
		if (ctx->op == UBLK_IO_OP_WRITE)
			queue_rw(ctx, 1, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_SPLIT:
		if (half)
			queue_rw(ctx, 0, off, 0, half);
		queue_rw(ctx, 1, off + half, half, len - half);
		return UBLK_BPF_SUBMIT;
	case REGION_HALF_ZERO:
		if (half)
			queue_nothing(ctx, 0, half);
		queue_rw(ctx, 0, off + half, half, len - half);
		return UBLK_BPF_SUBMIT;
	case REGION_ERROR:
		return -ENOSPC;
	case REGION_GAP:
		/* the first sector is left out */
		if (len > 512)
			queue_rw(ctx, 0, off + 512, 512, len - 512);
		return UBLK_BPF_SUBMIT;
	case REGION_NO_SLOT:
		queue_rw(ctx, 7, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_ODD_RETURN:
		return 77;
	case REGION_REDIRECT:
		return UBLK_BPF_REDIRECT;
	case REGION_TWICE:
		/* wrong for a read, right for a write */
		queue_rw(ctx, 0, off, 0, len);
		queue_rw(ctx, 1, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_HOLD:
		hold(ctx, REGION_HOLD_NS);
		queue_rw(ctx, 0, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_RETRY:
	case REGION_STANDS:
		queue_rw(ctx, BAD_SLOT, off, 0, len);
		return UBLK_BPF_SUBMIT;
	case REGION_SETTLE:
		queue_rw(ctx, 0, off, 0, len);
		if (ctx->op == UBLK_IO_OP_WRITE)
			queue_rw(ctx, BAD_SLOT, off, 0, len);
		return UBLK_BPF_SUBMIT;
	default:
		return UBLK_BPF_SUBMIT; /* an empty plan */
	}
}

static void note_failure(struct ublk_bpf_complete_ctx *ctx)
{
	record.nr_failures++;
	record.item_off = ctx->item_off;
	record.item_addr = ctx->item_addr;
	record.item_len = ctx->item_len;
	record.item_result = ctx->item_result;
	record.item_slot = ctx->item_slot;
	record.item_opcode = ctx->item_opcode;
	record.attempt = ctx->attempt;
}

SEC("ublk/complete") int by_hand_failed(struct ublk_bpf_complete_ctx *ctx)
{
	note_failure(ctx);
	switch (ctx->rq.start_sector / region_sectors) {
	case REGION_RETRY:
		/* once more, a little later, and then elsewhere */
		if (ctx->attempt == 1)
			hold(&ctx->rq, REGION_HOLD_NS);
		queue_rw(&ctx->rq, ctx->attempt == 1 ? BAD_SLOT : 0, ctx->item_off, ctx->item_addr,
			 ctx->item_len);
		return UBLK_BPF_SUBMIT;
	case REGION_SETTLE:
		return UBLK_BPF_SETTLE;
	default:
		return -ENOSPC;
	}
}

char _license[] SEC("license") = "GPL";
