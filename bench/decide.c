// SPDX-License-Identifier: GPL-2.0-only
/*
 * decide OBJECT [DECISIONS [FIRST_SECTOR SECTORS]]: runs a policy's program, built with
 * decide_loop.h, in this machine's kernel, and prints what a decision costs, as one
 * JSON object. The decisions are on reads of all of the device, or of a part of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <linux/ublk_bpf.h>

#include "decide.h"
#include "policy_object.h"

#define DECISIONS	1000000U
#define ROUNDS		5
#define BACKEND_SECTORS (1ULL << 31)
#define BLOCK_SIZE	512
#define SEED		0x2545f4914f6cdd1dULL

static int report_error(const char *what, const char *text)
{
	fprintf(stderr, "decide: %s: %s\n", what, text);
	return -1;
}

static double clock_ns(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* What is decided */
struct reads {
	__u64 first_sector;
	__u64 sectors;
	__u32 decisions;
};

/* The best of several rounds, in ns for each decision, or less than 0 */
static double measure(const struct policy_object *policy, const struct reads *reads, bool is_empty)
{
	struct decide_ctx ctx = {
		.seed = SEED,
		.first_sector = reads->first_sector,
		.blocks = reads->sectors / DECIDE_SECTORS,
		.decisions = reads->decisions,
		.is_empty = is_empty,
	};
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));
	double best = -1, took;

	for (int round = 0; round < ROUNDS; round++) {
		took = clock_ns(CLOCK_MONOTONIC);
		if (bpf_prog_test_run_opts(policy_object_prog_fd(policy), &options))
			return report_error("test run", strerror(errno));
		took = (clock_ns(CLOCK_MONOTONIC) - took) / reads->decisions;
		if (ctx.failed)
			return report_error("test run", "a decision failed");
		if (best < 0 || took < best)
			best = took;
	}
	return best;
}

static int load(struct policy_object *policy)
{
	const struct kernel_features features = { .prog_type = BPF_PROG_TYPE_SYSCALL };
	const struct ublkpol_header *header = policy_object_header(policy);
	__u64 sectors[UBLK_BPF_MAX_SLOTS];
	struct ublkpol_error err = { 0 };
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	for (__u32 i = 0; i < header->nr_backends; i++)
		sectors[i] = BACKEND_SECTORS;
	if (policy_object_resolve(policy, sectors, BLOCK_SIZE, NULL, NULL, &err) ||
	    policy_object_load(policy, &features, &err))
		return report_error("load", err.text);
	if (bpf_obj_get_info_by_fd(policy_object_prog_fd(policy), &info, &size))
		return report_error("what was loaded", strerror(errno));
	if (!info.jited_prog_len)
		return report_error("load", "interpreted: sysctl net.core.bpf_jit_enable=1");
	return 0;
}

int main(int argc, char **argv)
{
	struct policy_object *policy;
	struct ublkpol_error err = { 0 };
	double began = clock_ns(CLOCK_MONOTONIC), load_ms, load_cpu_ms, loop, all;
	struct reads reads = { .decisions = DECISIONS };

	if (argc < 2 || argc == 4 || argc > 5) {
		fputs("usage: decide OBJECT [DECISIONS [FIRST_SECTOR SECTORS]]\n", stderr);
		return 2;
	}
	if (argc > 2)
		reads.decisions = (__u32)strtoul(argv[2], NULL, 10);
	libbpf_set_print(NULL);
	if (policy_object_open(&policy, argv[1], &err))
		return report_error(argv[1], err.text) ? 1 : 0;
	if (load(policy))
		return 1;
	reads.sectors = policy_object_geometry(policy)->dev_sectors;
	if (argc == 5) {
		reads.first_sector = strtoull(argv[3], NULL, 10);
		reads.sectors = strtoull(argv[4], NULL, 10);
	}
	load_ms = (clock_ns(CLOCK_MONOTONIC) - began) / 1e6;
	load_cpu_ms = clock_ns(CLOCK_PROCESS_CPUTIME_ID) / 1e6;
	loop = measure(policy, &reads, true);
	all = measure(policy, &reads, false);
	policy_object_close(policy);
	if (loop < 0 || all < 0)
		return 1;
	printf("{\"load_ms\":%.1f,\"load_cpu_ms\":%.2f,\"loop_ns\":%.2f,\"decision_ns\":%.2f}\n",
	       load_ms, load_cpu_ms, loop, all - loop);
	return 0;
}
