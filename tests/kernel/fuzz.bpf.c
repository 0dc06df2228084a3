// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the helper calls that user space wrote into a map, whatever they are,
 * and tells what came of them: for each request, or for what of it has failed.
 */
#include <asm-generic/errno-base.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "fuzz.h"
#include "ublk_program.h"

static void *(*const bpf_map_lookup_elem)(void *map,
					  const void *key) = (void *)BPF_FUNC_map_lookup_elem;

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*map_flags)[BPF_F_MMAPABLE];
	int (*max_entries)[1];
	__u32 *key;
	struct fuzz_case *value;
} cases SEC(".maps");

static struct fuzz_case *todo_for(struct ublk_bpf_ctx *ctx)
{
	__u32 zero = 0;
	struct fuzz_case *todo = bpf_map_lookup_elem(&cases, &zero);

	return todo && todo->op == ctx->op ? todo : 0;
}

static __attribute__((always_inline)) int make_calls(struct ublk_bpf_ctx *ctx,
						     struct fuzz_case *todo)
{
	__u32 i;

	todo->start_sector = ctx->start_sector;
	todo->nr_sectors = ctx->nr_sectors;
	todo->runs++;
	for (i = 0; i < FUZZ_CALLS && i < todo->nr_calls; i++) {
		struct fuzz_call *call = &todo->calls[i];
		__u32 len = call->sqe_len;

		if (!len || len > FUZZ_SQE_BYTES)
			return -EINVAL;
		call->result = bpf_ublk_queue_sqe(ctx, call->sqe, len, call->fd);
	}
	return todo->ret;
}

SEC("ublk") int fuzz(struct ublk_bpf_ctx *ctx)
{
	struct fuzz_case *todo = todo_for(ctx);

	return todo ? make_calls(ctx, todo) : UBLK_BPF_SUBMIT;
}

/* Of a device with fuzz_complete: all but the begin of each request fails */
SEC("ublk") int fail(struct ublk_bpf_ctx *ctx)
{
	struct fuzz_case *todo = todo_for(ctx);

	if (!todo)
		return UBLK_BPF_SUBMIT;
	if (ctx->op == UBLK_IO_OP_FLUSH) {
		queue_fsync(ctx, FUZZ_BAD_SLOT);
		return UBLK_BPF_SUBMIT;
	}
	if (todo->begin)
		queue_nothing(ctx, 0, todo->begin);
	queue_any(ctx, FUZZ_BAD_SLOT, 0, todo->begin, (ctx->nr_sectors << 9) - todo->begin);
	return UBLK_BPF_SUBMIT;
}

SEC("ublk/complete") int fuzz_complete(struct ublk_bpf_complete_ctx *ctx)
{
	struct fuzz_case *todo = todo_for(&ctx->rq);

	return todo && ctx->attempt == 1 ? make_calls(&ctx->rq, todo) : ctx->item_result;
}

char _license[] SEC("license") = "GPL";
