/* SPDX-License-Identifier: GPL-2.0 */
#ifndef UBLK_PROGRAM_H
#define UBLK_PROGRAM_H

/* What BPF programs of the tests share */

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
