// SPDX-License-Identifier: GPL-2.0
/*
 * A program as a user would write it without the compiler, see
 * docs/kernel-abi.md. What it does not use is in discard.bpf.c, complete.bpf.c and
 * fuzz.bpf.c; see docs/testing.md. The device is cut into regions of region_sectors;
 * requests do not cross them (chunk_sectors).
 */
#include <asm-generic/errno-base.h>
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "regions.h"

#define SEC(name)      __attribute__((section(name), used))
#define HELPER_BY_NAME 0x5b1c /* the loader puts the kernel's number here */

static long (*const bpf_ublk_queue_sqe)(struct ublk_bpf_ctx *ctx, const void *sqe, __u32 sqe_len,
					__s32 fd) = (void *)HELPER_BY_NAME;

const volatile __u64 region_sectors = 2048;

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

static int flush(struct ublk_bpf_ctx *ctx)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_FSYNC };

	bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), 0);
	bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), 1);
	return UBLK_BPF_SUBMIT;
}

SEC("ublk") int by_hand(struct ublk_bpf_ctx *ctx)
{
	__u64 off = ctx->start_sector << 9;
	__u32 len = ctx->nr_sectors << 9;
	__u32 half = len / 1024 * 512;

	if (ctx->op == UBLK_IO_OP_FLUSH)
		return flush(ctx);

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
	default:
		return UBLK_BPF_SUBMIT; /* an empty plan */
	}
}

char _license[] SEC("license") = "GPL";
