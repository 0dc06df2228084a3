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

#define UBLKPOL_ENTRY                                                                 \
	SEC(UBLKPOL_PROGRAM_SECTION)                                                  \
	int ublkpol_route(struct ublk_bpf_ctx *ctx)                                   \
	{                                                                             \
		return ublkpol_run(ctx, ctx->op, ctx->start_sector, ctx->nr_sectors); \
	}

#endif
