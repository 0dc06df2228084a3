// SPDX-License-Identifier: GPL-2.0
/*
 * The simplest programs that move data, for tests of what surrounds a program.
 * redirect_from and what lies behind it goes to the server, the rest to slot 0;
 * or, with mirror, to slots 0 and 1.
 */
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "ublk_program.h"

const volatile __u64 redirect_from = ~0ULL; /* sector */
const volatile __u32 redirect_flush;
const volatile __u32 mirror;

static int flush(struct ublk_bpf_ctx *ctx)
{
	if (redirect_flush)
		return UBLK_BPF_REDIRECT;
	queue_fsync(ctx, 0);
	if (mirror)
		queue_fsync(ctx, 1);
	return UBLK_BPF_SUBMIT;
}

SEC("ublk") int route(struct ublk_bpf_ctx *ctx)
{
	__u64 off = ctx->start_sector << 9;
	__u32 len = ctx->nr_sectors << 9;

	if (ctx->op == UBLK_IO_OP_FLUSH)
		return flush(ctx);
	if (ctx->start_sector >= redirect_from)
		return UBLK_BPF_REDIRECT;
	queue_rw(ctx, 0, off, 0, len);
	if (mirror && ctx->op == UBLK_IO_OP_WRITE)
		queue_rw(ctx, 1, off, 0, len);
	return UBLK_BPF_SUBMIT;
}

char _license[] SEC("license") = "GPL";
