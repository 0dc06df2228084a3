/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_DECIDE_LOOP_H
#define BENCH_DECIDE_LOOP_H

/*
 * Takes the place of ublkpol_route.h in a policy's program: many decisions in
 * one run, for reads of 4 KiB at random
 * places. BPF_PROG_TEST_RUN cannot repeat a program of SEC("syscall").
 */
#include "decide.h"

#undef UBLKPOL_ENTRY
#define UBLKPOL_ENTRY
#include "ublkpol_route.h"

struct decide_state {
	void *ctx;
	__u64 random;
	__u64 first_sector;
	__u64 blocks;
	__u64 failed;
	bool is_empty;
};

static long decide_step(__u64 i, struct decide_state *state)
{
	struct ublkpol_plan *plan;
	__u64 sector;
	__u32 zero = 0;

	(void)i;
	state->random ^= state->random << 13;
	state->random ^= state->random >> 7;
	state->random ^= state->random << 17;
	sector = ((state->random >> 32) * state->blocks >> 32) * DECIDE_SECTORS +
		 state->first_sector;

	struct ublkpol_request rq = {
		.sector = sector,
		.sectors = DECIDE_SECTORS,
		.op = UBLK_IO_OP_READ,
	};

	plan = bpf_map_lookup_elem(&ublkpol_plan, &zero);
	if (!plan)
		return 1;
	plan->nr_items = 0;
	if (state->is_empty)
		return 0;
	if (ublkpol_run(state->ctx, &rq) || plan->nr_items != 1)
		state->failed++;
	return 0;
}

SEC("syscall")
int ublkpol_route(struct decide_ctx *ctx)
{
	struct decide_state state = {
		.ctx = ctx,
		.random = ctx->seed,
		.first_sector = ctx->first_sector,
		.blocks = ctx->blocks,
		.is_empty = ctx->is_empty,
	};
	long done;

	done = bpf_loop(ctx->decisions, decide_step, &state, 0);
	ctx->failed = state.failed + ctx->decisions - done;
	return 0;
}

#endif
