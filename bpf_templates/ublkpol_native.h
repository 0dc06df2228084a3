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
	const __u32 *legs;
	__u32 nr_legs;
	struct ublkpol_counters *counters;
	__u32 nr_counters;
	struct ublkpol_plan plan;
};

/**
 * ublkpol_route_native() - run the program once
 * @env: its maps; the SQEs are added to env->plan
 * @ctx: the request
 *
 * Return: as the program returns to ublk: UBLK_BPF_SUBMIT or a negative errno
 */
int ublkpol_route_native(struct ublkpol_native *env, const struct ublk_bpf_ctx *ctx);

#define UBLKPOL_NATIVE_SYMBOL "ublkpol_route_native"

#endif
