/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_SHIM_SYSCALL_H
#define UBLKPOL_SHIM_SYSCALL_H

/*
 * The program for BPF_PROG_TEST_RUN on a kernel without BPF_PROG_TYPE_UBLK:
 * the real verifier and JIT, the SQEs go to a map. ctx_in is a struct
 * ublk_bpf_ctx.
 */
#include <linux/bpf.h>

#include "ublkpol_shim_bpf.h"
#include "ublkpol_plan.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ublkpol_plan);
} ublkpol_plan SEC(".maps");

static __always_inline long ublkpol_queue_sqe(void *ctx, const struct io_uring_sqe *sqe, __u32 slot)
{
	struct ublkpol_plan *plan;
	__u32 zero = 0;
	__u32 item;

	(void)ctx;
	plan = bpf_map_lookup_elem(&ublkpol_plan, &zero);
	if (!plan)
		return -ENOENT;
	item = plan->nr_items;
	if (item >= UBLK_BPF_MAX_ITEMS)
		return -E2BIG;
	plan->items[item].sqe = *sqe;
	plan->items[item].slot = slot;
	plan->nr_items = item + 1;
	return 0;
}

/* So that a test knows what the program finds */
UBLKPOL_ARRAY(ublkpol_inputs, 1, struct ublkpol_inputs);

static __always_inline struct ublkpol_inputs *ublkpol_inputs_now(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&ublkpol_inputs, &zero);
}

static __always_inline __u32 ublkpol_random(void)
{
	struct ublkpol_inputs *inputs = ublkpol_inputs_now();

	return inputs ? inputs->random[inputs->nr_draws++ % UBLKPOL_NR_RANDOM] : 0;
}

static __always_inline __u64 ublkpol_now(void)
{
	const struct ublkpol_inputs *inputs = ublkpol_inputs_now();

	return inputs ? inputs->now : 0;
}

#define UBLKPOL_ENTRY                                             \
	SEC("syscall")                                            \
	int ublkpol_route(struct ublk_bpf_ctx *ctx)               \
	{                                                         \
		struct ublkpol_request rq = UBLKPOL_REQUEST(ctx); \
                                                                  \
		return ublkpol_run(ctx, &rq);                     \
	}

#define UBLKPOL_COMPLETE_ENTRY                                         \
	SEC("syscall")                                                 \
	int ublkpol_complete(struct ublk_bpf_complete_ctx *ctx)        \
	{                                                              \
		struct ublkpol_request rq = UBLKPOL_REQUEST(&ctx->rq); \
		struct ublkpol_failure failure = UBLKPOL_FAILURE(ctx); \
                                                                       \
		return ublkpol_recover(ctx, &rq, &failure);            \
	}

#endif
