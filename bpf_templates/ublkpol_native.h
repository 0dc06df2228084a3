/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_NATIVE_H
#define UBLKPOL_NATIVE_H

/* Calls a policy program that was built as plain C into a shared object */
#include "ublkpol_object.h"
#include "ublkpol_plan.h"

/* What the program finds in maps when it runs as BPF; owned by the caller */
struct ublkpol_native {
	struct ublkpol_config config;
	struct ublkpol_search search;
	const struct ublkpol_segment *segments;
	__u32 nr_segments;
	const struct ublkpol_bucket *buckets;
	__u32 nr_buckets;
	const struct ublkpol_node *nodes;
	__u32 nr_nodes;
	const struct ublkpol_choice *choices;
	__u32 nr_choices;
	const __u32 *legs;
	__u32 nr_legs;
	const __u64 *params;
	struct ublkpol_counters *counters;
	__u32 nr_counters;
	__u64 *ticks; /* for each rule */
	struct ublkpol_limiter *limiters; /* for each modifier number, 0 included */
	struct ublkpol_mirror *mirrors;
	struct ublkpol_trace trace; /* the last record */
	__u32 nr_traces;
	struct ublkpol_inputs inputs;
	struct ublkpol_plan plan;
};

/**
 * ublkpol_route_native() - run the program once
 * @env: its maps; the SQEs are added to env->plan
 * @ctx: the request
 *
 * Return: as the program returns to ublk: UBLK_BPF_SUBMIT, UBLK_BPF_REDIRECT or
 * a negative errno
 */
int ublkpol_route_native(struct ublkpol_native *env, const struct ublk_bpf_ctx *ctx);

/**
 * ublkpol_complete_native() - the same for the complete program, if it has one
 * @ctx: the item that failed
 *
 * Return: UBLK_BPF_SUBMIT, UBLK_BPF_SETTLE or a negative errno
 */
int ublkpol_complete_native(struct ublkpol_native *env, const struct ublk_bpf_complete_ctx *ctx);

#define UBLKPOL_NATIVE_SYMBOL	       "ublkpol_route_native"
#define UBLKPOL_NATIVE_COMPLETE_SYMBOL "ublkpol_complete_native"

#endif
