// SPDX-License-Identifier: GPL-2.0-only
/*
 * verifier: programs that the kernel has to reject, one for each rule of
 * docs/kernel-abi.md, and the smallest one that it has to accept. Prints one
 * line per check; exit status 0 if all are right.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/ublk_bpf.h>

#include "kernel_features.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SQE_SIZE      64
#define HELPER	      (-1) /* stands for the helper's number in a call */

#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define MOV_IMM(d, i)		 INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define MOV_REG(d, s)		 INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD_IMM(d, i)		 INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o)	 INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE_IMM(size, d, o, i) INSN(BPF_ST | BPF_MEM | (size), d, 0, o, i)
#define CALL(number)		 INSN(BPF_JMP | BPF_CALL, 0, 0, 0, number)
#define EXIT			 INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define R0  BPF_REG_0
#define R1  BPF_REG_1
#define R2  BPF_REG_2
#define R3  BPF_REG_3
#define R4  BPF_REG_4
#define R6  BPF_REG_6
#define R10 BPF_REG_10

#define CTX(field)     ((short)offsetof(struct ublk_bpf_ctx, field))
#define FAILURE(field) ((short)offsetof(struct ublk_bpf_complete_ctx, field))

/* An SQE of zeroes at the bottom of the stack */
#define ZERO_SQE                                                                \
	STORE_IMM(BPF_DW, R10, -64, 0), STORE_IMM(BPF_DW, R10, -56, 0),         \
		STORE_IMM(BPF_DW, R10, -48, 0), STORE_IMM(BPF_DW, R10, -40, 0), \
		STORE_IMM(BPF_DW, R10, -32, 0), STORE_IMM(BPF_DW, R10, -24, 0), \
		STORE_IMM(BPF_DW, R10, -16, 0), STORE_IMM(BPF_DW, R10, -8, 0)

#define RETURN_SUBMIT MOV_IMM(R0, UBLK_BPF_SUBMIT), EXIT

struct rule {
	const char *name;
	const char *log; /* part of the verifier's message; NULL: accepted */
	const char *license;
	bool wrong_attach_type;
	bool complete; /* SEC("ublk/complete") */
	size_t nr;
	struct bpf_insn insns[24];
};

#define CODE(...)                                                                   \
	.nr = sizeof((struct bpf_insn[]){ __VA_ARGS__ }) / sizeof(struct bpf_insn), \
	.insns = { __VA_ARGS__ }

static const struct rule rules[] = {
	{ "an empty program", NULL, "GPL", CODE(RETURN_SUBMIT) },
	{ "a call of the helper", NULL, "GPL",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE),
	       MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "the first field", NULL, "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, CTX(start_sector)), RETURN_SUBMIT) },
	{ "the last field", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(ioprio)), RETURN_SUBMIT) },
	{ "another attach type", "", "GPL", .wrong_attach_type = true, CODE(RETURN_SUBMIT) },
	{ "beyond the context", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, sizeof(struct ublk_bpf_ctx)), RETURN_SUBMIT) },
	{ "before the context", "", "GPL", CODE(LOAD(BPF_W, R2, R1, -4), RETURN_SUBMIT) },
	{ "the middle of a field", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(start_sector) + 4), RETURN_SUBMIT) },
	{ "part of a field", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_H, R2, R1, CTX(nr_sectors)), RETURN_SUBMIT) },
	{ "two fields at once", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, CTX(nr_sectors)), RETURN_SUBMIT) },
	{ "a write to the context", "invalid bpf_context access", "GPL",
	  CODE(STORE_IMM(BPF_W, R1, CTX(op), 0), RETURN_SUBMIT) },
	{ "a variable offset in the context", "", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(op)), INSN(BPF_ALU64 | BPF_ADD | BPF_X, R1, R2, 0, 0),
	       LOAD(BPF_W, R3, R1, 0), RETURN_SUBMIT) },
	{ "an SQE from a number", "R2 type=scalar", "GPL",
	  CODE(MOV_IMM(R2, 4096), MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER),
	       RETURN_SUBMIT) },
	{ "an SQE that is not initialised", "", "GPL",
	  CODE(MOV_REG(R2, R10), ADD_IMM(R2, -1024), MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0),
	       CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE beyond the stack", "", "GPL",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE + 8),
	       MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE length without a bound", "", "GPL",
	  CODE(ZERO_SQE, LOAD(BPF_W, R3, R1, CTX(nr_sectors)), MOV_REG(R2, R10),
	       ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE length of 0", "", "GPL",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, 0), MOV_IMM(R4, 0),
	       CALL(HELPER), RETURN_SUBMIT) },
	{ "the helper with another context", "R1 type=fp", "GPL",
	  CODE(ZERO_SQE, MOV_REG(R1, R10), MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE),
	       MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "the helper without its fd", "R4 !read_ok", "GPL",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE),
	       CALL(HELPER), RETURN_SUBMIT) },
	{ "the helper under another licence", "GPL", "Proprietary",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE),
	       MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "no return value", "R0 !read_ok", "GPL", CODE(EXIT) },
	{ "complete: the helper, and the first field", NULL, "GPL", .complete = true,
	  CODE(LOAD(BPF_DW, R6, R1, CTX(start_sector)), ZERO_SQE, MOV_REG(R2, R10),
	       ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER),
	       RETURN_SUBMIT) },
	{ "complete: the last field", NULL, "GPL", .complete = true,
	  CODE(LOAD(BPF_W, R2, R1, FAILURE(attempt)), RETURN_SUBMIT) },
	{ "complete: beyond the context", "invalid bpf_context access", "GPL", .complete = true,
	  CODE(LOAD(BPF_W, R2, R1, sizeof(struct ublk_bpf_complete_ctx)), RETURN_SUBMIT) },
	{ "complete: part of a field", "invalid bpf_context access", "GPL", .complete = true,
	  CODE(LOAD(BPF_W, R2, R1, FAILURE(item_off)), RETURN_SUBMIT) },
	{ "complete: two fields at once", "invalid bpf_context access", "GPL", .complete = true,
	  CODE(LOAD(BPF_DW, R2, R1, FAILURE(item_addr)), RETURN_SUBMIT) },
	{ "complete: a write to the context", "invalid bpf_context access", "GPL", .complete = true,
	  CODE(STORE_IMM(BPF_W, R1, FAILURE(item_result), 0), RETURN_SUBMIT) },
	{ "the complete program's fields in a routing program", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, FAILURE(item_off)), RETURN_SUBMIT) },
};

static bool holds(const struct rule *rule, const struct kernel_features *features)
{
	static char log[65536];
	struct bpf_insn insns[ARRAY_SIZE(rule->insns)];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log),
		    .log_level = 1);
	size_t i;
	int fd;

	memcpy(insns, rule->insns, sizeof(insns));
	for (i = 0; i < rule->nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].imm == HELPER)
			insns[i].imm = features->queue_sqe;
	if (!rule->wrong_attach_type)
		opts.expected_attach_type =
			rule->complete ? features->complete_type : features->attach_type;
	log[0] = 0;

	fd = bpf_prog_load(features->prog_type, "rule", rule->license, insns, rule->nr, &opts);
	if (fd >= 0) {
		close(fd);
		return !rule->log;
	}
	if (rule->log && strstr(log, rule->log))
		return true;
	printf("%s\n", log);
	return false;
}

int main(void)
{
	struct kernel_features features;
	int failures = 0;
	size_t i;

	kernel_features_probe(&features);
	if (features.prog_type < 0) {
		fprintf(stderr, "verifier: this kernel has no BPF_PROG_TYPE_UBLK\n");
		return 1;
	}
	for (i = 0; i < ARRAY_SIZE(rules); i++) {
		bool ok = holds(&rules[i], &features);

		printf("%s %s: %s\n", ok ? "ok  " : "FAIL", rules[i].name,
		       rules[i].log ? "rejected" : "accepted");
		failures += !ok;
	}
	return failures ? 1 : 0;
}
