/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_SHIM_NATIVE_H
#define UBLKPOL_SHIM_NATIVE_H

/* The program as plain C, for sanitizers and debuggers: see ublkpol_native.h */
#include <stddef.h>

#include "ublkpol_native.h"

#define SEC(name) __attribute__((used))
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline	__attribute__((noinline))

#define ublkpol_hide(var) ((void)(var))
#define UBLKPOL_GLOBAL	  static __attribute__((noinline, unused))
#define ublkpol_ctx
#define ublkpol_nonnull
#define ublkpol_unrolled

static struct ublkpol_native *ublkpol_env;

#define ublkpol_config (ublkpol_env->config)
#define ublkpol_search (ublkpol_env->search)
#define ublkpol_params (ublkpol_env->params)

static __always_inline const struct ublkpol_segment *ublkpol_segment_at(__u32 index)
{
	return index < ublkpol_env->nr_segments ? &ublkpol_env->segments[index] : NULL;
}

static __always_inline const struct ublkpol_bucket *ublkpol_bucket_at(__u32 index)
{
	return index < ublkpol_env->nr_buckets ? &ublkpol_env->buckets[index] : NULL;
}

static __always_inline const struct ublkpol_node *ublkpol_node_at(__u32 index)
{
	return index < ublkpol_env->nr_nodes ? &ublkpol_env->nodes[index] : NULL;
}

static __always_inline __attribute__((unused)) const struct ublkpol_choice *ublkpol_choice_at(
	__u32 index)
{
	return index < ublkpol_env->nr_choices ? &ublkpol_env->choices[index] : NULL;
}

static __always_inline __u64 *ublkpol_ticks_at(__u32 rule)
{
	return &ublkpol_env->ticks[rule];
}

static __always_inline struct ublkpol_limiter *ublkpol_limiter_at(__u32 modifiers)
{
	return &ublkpol_env->limiters[modifiers];
}

static __always_inline struct ublkpol_mirror *ublkpol_mirror_at(__u32 mirror)
{
	return &ublkpol_env->mirrors[mirror];
}

static __always_inline __attribute__((unused)) struct ublkpol_trace *ublkpol_trace_begin(void)
{
	return &ublkpol_env->trace;
}

static __always_inline __attribute__((unused)) void ublkpol_trace_end(struct ublkpol_trace *record)
{
	(void)record;
	ublkpol_env->nr_traces++;
}

static __always_inline __attribute__((unused)) __u32 ublkpol_random(void)
{
	struct ublkpol_inputs *inputs = &ublkpol_env->inputs;

	return inputs->random[inputs->nr_draws++ % UBLKPOL_NR_RANDOM];
}

static __always_inline __u64 ublkpol_now(void)
{
	return ublkpol_env->inputs.now;
}

static __always_inline const __u32 *ublkpol_leg_at(__u32 index)
{
	return index < ublkpol_env->nr_legs ? &ublkpol_env->legs[index] : NULL;
}

static __always_inline struct ublkpol_counters *ublkpol_counters_at(__u32 entry)
{
	return entry < ublkpol_env->nr_counters ? &ublkpol_env->counters[entry] : NULL;
}

static __always_inline long ublkpol_queue_sqe(void *ctx, const struct io_uring_sqe *sqe, __u32 slot)
{
	struct ublkpol_plan *plan = &ublkpol_env->plan;

	(void)ctx;
	if (plan->nr_items >= UBLK_BPF_MAX_ITEMS)
		return -E2BIG;
	plan->items[plan->nr_items].sqe = *sqe;
	plan->items[plan->nr_items].slot = slot;
	plan->nr_items++;
	return 0;
}

struct ublkpol_split;

static inline void ublkpol_loop(__u32 nr, long (*step)(__u64 i, struct ublkpol_split *split),
				struct ublkpol_split *split)
{
	for (__u32 i = 0; i < nr; i++) {
		if (step(i, split))
			return;
	}
}

#define UBLKPOL_ENTRY                                                                        \
	int ublkpol_route_native(struct ublkpol_native *env, const struct ublk_bpf_ctx *ctx) \
	{                                                                                    \
		struct ublkpol_request rq = UBLKPOL_REQUEST(ctx);                            \
                                                                                             \
		ublkpol_env = env;                                                           \
		return ublkpol_run(env, &rq);                                                \
	}

#define UBLKPOL_COMPLETE_ENTRY                                               \
	int ublkpol_complete_native(struct ublkpol_native *env,              \
				    const struct ublk_bpf_complete_ctx *ctx) \
	{                                                                    \
		struct ublkpol_request rq = UBLKPOL_REQUEST(&ctx->rq);       \
		struct ublkpol_failure failure = UBLKPOL_FAILURE(ctx);       \
                                                                             \
		ublkpol_env = env;                                           \
		return ublkpol_recover(env, &rq, &failure);                  \
	}

#endif
