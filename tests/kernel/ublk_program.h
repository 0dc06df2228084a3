/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UBLK_PROGRAM_H
#define UBLK_PROGRAM_H

/* What BPF programs of the tests share */
#include <linux/falloc.h>

#define SEC(name)      __attribute__((section(name), used))
#define HELPER_BY_NAME 0x5b1c /* the loader puts the kernel's number here */

static long (*const bpf_ublk_queue_sqe)(struct ublk_bpf_ctx *ctx, const void *sqe, __u32 sqe_len,
					__s32 fd) = (void *)HELPER_BY_NAME;

static inline long queue_rw(struct ublk_bpf_ctx *ctx, __s32 slot, __u64 off, __u64 addr, __u32 len)
{
	struct io_uring_sqe sqe = {
		.opcode = ctx->op == UBLK_IO_OP_READ ? IORING_OP_READ : IORING_OP_WRITE,
		.off = off,
		.addr = addr,
		.len = len,
	};

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), slot);
}

#define PUNCH_HOLE (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)
#define ZERO_RANGE (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE)

static inline __u32 fallocate_mode(struct ublk_bpf_ctx *ctx)
{
	if (ctx->op == UBLK_IO_OP_WRITE_ZEROES && ctx->flags & UBLK_IO_F_NOUNMAP)
		return ZERO_RANGE;
	return PUNCH_HOLE;
}

static inline long queue_fallocate(struct ublk_bpf_ctx *ctx, __s32 slot, __u32 mode, __u64 off,
				   __u64 addr, __u32 len)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_FALLOCATE,
		.off = off,
		.addr = len,
		.len = mode,
		.user_data = addr,
	};

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), slot);
}

/* Of any request but a flush */
static inline long queue_any(struct ublk_bpf_ctx *ctx, __s32 slot, __u64 off, __u64 addr, __u32 len)
{
	switch (ctx->op) {
	case UBLK_IO_OP_DISCARD:
	case UBLK_IO_OP_WRITE_ZEROES:
		return queue_fallocate(ctx, slot, fallocate_mode(ctx), off, addr, len);
	default:
		return queue_rw(ctx, slot, off, addr, len);
	}
}

/* Read as zeroes, or do not write */
static inline long queue_nothing(struct ublk_bpf_ctx *ctx, __u64 addr, __u32 len)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP, .addr = addr, .len = len };

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe),
				  ctx->op == UBLK_IO_OP_READ ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP);
}

static inline long queue_fsync(struct ublk_bpf_ctx *ctx, __s32 slot)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_FSYNC };

	return bpf_ublk_queue_sqe(ctx, &sqe, sizeof(sqe), slot);
}

#endif
