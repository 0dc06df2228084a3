// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that swap.c changes between. All of them put the first half of the
 * device on one backend and the second on another, both at the LBA that they
 * have on the device; which slot that is differs.
 */
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "ublk_program.h"

const volatile __u64 half_sectors = 1;

static int halves(struct ublk_bpf_ctx *ctx, __s32 first, __s32 second)
{
	__u64 start = ctx->start_sector, end = start + ctx->nr_sectors;
	__u32 head;

	if (ctx->op == UBLK_IO_OP_FLUSH) {
		queue_fsync(ctx, first);
		queue_fsync(ctx, second);
		return UBLK_BPF_SUBMIT;
	}
	if (start >= half_sectors || end <= half_sectors) {
		queue_rw(ctx, start < half_sectors ? first : second, start << 9, 0,
			 ctx->nr_sectors << 9);
		return UBLK_BPF_SUBMIT;
	}
	head = (__u32)(half_sectors - start) << 9;
	queue_rw(ctx, first, start << 9, 0, head);
	queue_rw(ctx, second, half_sectors << 9, head, (ctx->nr_sectors << 9) - head);
	return UBLK_BPF_SUBMIT;
}

SEC("ublk") int straight(struct ublk_bpf_ctx *ctx)
{
	return halves(ctx, 0, 1);
}

SEC("ublk") int crossed(struct ublk_bpf_ctx *ctx)
{
	return halves(ctx, 1, 0);
}

/* Slot 2, which may be dropped, has a copy of the first half's writes */
SEC("ublk") int with_copy(struct ublk_bpf_ctx *ctx)
{
	__u64 start = ctx->start_sector;
	__u32 nr = ctx->nr_sectors;

	if (ctx->op == UBLK_IO_OP_FLUSH)
		queue_fsync(ctx, 2);
	if (ctx->op == UBLK_IO_OP_WRITE && start < half_sectors) {
		/* items go from the payload's start to its end, copies may go back */
		if (nr > half_sectors - start)
			nr = (__u32)(half_sectors - start);
		queue_rw(ctx, 2, start << 9, 0, nr << 9);
	}
	return halves(ctx, 0, 1);
}

char _license[] SEC("license") = "GPL";
