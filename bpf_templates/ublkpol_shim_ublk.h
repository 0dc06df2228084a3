/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_SHIM_UBLK_H
#define UBLKPOL_SHIM_UBLK_H

/* The program as ublk runs it, BPF_PROG_TYPE_UBLK */
#include <linux/bpf.h>

#include "ublkpol_shim_bpf.h"

static long (*const bpf_ublk_queue_sqe)(void *ctx, const void *sqe, __u32 sqe_len,
					__s32 fd) = (void *)UBLKPOL_HELPER_SENTINEL;

static __always_inline long ublkpol_queue_sqe(void *ctx, const struct io_uring_sqe *sqe, __u32 slot)
{
	return bpf_ublk_queue_sqe(ctx, sqe, sizeof(*sqe), slot);
}

static __always_inline __u32 ublkpol_random(void)
{
	return bpf_get_prandom_u32();
}

static __always_inline __u64 ublkpol_now(void)
{
	return bpf_ktime_get_ns();
}

#define UBLKPOL_ENTRY                                             \
	SEC(UBLKPOL_PROGRAM_SECTION)                              \
	int ublkpol_route(struct ublk_bpf_ctx *ctx)               \
	{                                                         \
		struct ublkpol_request rq = UBLKPOL_REQUEST(ctx); \
                                                                  \
		return ublkpol_run(ctx, &rq);                     \
	}

#define UBLKPOL_COMPLETE_ENTRY                                         \
	SEC(UBLKPOL_COMPLETE_SECTION)                                  \
	int ublkpol_complete(struct ublk_bpf_complete_ctx *ctx)        \
	{                                                              \
		struct ublkpol_request rq = UBLKPOL_REQUEST(&ctx->rq); \
		struct ublkpol_failure failure = UBLKPOL_FAILURE(ctx); \
                                                                       \
		return ublkpol_recover(ctx, &rq, &failure);            \
	}

#endif
