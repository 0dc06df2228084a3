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
	const char *log; /* part of the verifier's message; NULL: accepted; "": EINVAL before it */
	const char *license;
	bool wrong_attach_type;
	bool complete; /* SEC("ublk/complete") */
	int other_type; /* BPF_PROG_TYPE_*; 0: ours */
	unsigned int flags; /* of the load command */
	size_t nr;
	struct bpf_insn insns[24];
};

/* A call of a helper that is not ours, with arguments that it may not even want */
#define CALL_ONLY(number) CODE(CALL(number), RETURN_SUBMIT)

/* The call of our helper, after some instructions that change its arguments */
#define CALL_WITH(...)                                                                  \
	CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE), \
	     MOV_IMM(R4, 0), __VA_ARGS__, CALL(HELPER), RETURN_SUBMIT)

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
	{ "the last field", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(cpu)), RETURN_SUBMIT) },
	{ "ioprio", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(ioprio)), RETURN_SUBMIT) },
	{ "nr_sectors", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(nr_sectors)), RETURN_SUBMIT) },
	{ "op", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(op)), RETURN_SUBMIT) },
	{ "flags", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(flags)), RETURN_SUBMIT) },
	{ "dev_id", NULL, "GPL", CODE(LOAD(BPF_W, R2, R1, CTX(dev_id)), RETURN_SUBMIT) },
	{ "q_id", NULL, "GPL", CODE(LOAD(BPF_H, R2, R1, CTX(q_id)), RETURN_SUBMIT) },
	{ "tag", NULL, "GPL", CODE(LOAD(BPF_H, R2, R1, CTX(tag)), RETURN_SUBMIT) },
	{ "the time", NULL, "GPL", CALL_ONLY(BPF_FUNC_ktime_get_ns) },
	{ "a random number", NULL, "GPL", CALL_ONLY(BPF_FUNC_get_prandom_u32) },
	{ "the CPU", NULL, "GPL", CALL_ONLY(BPF_FUNC_get_smp_processor_id) },
	{ "an SQE length that is too small, which the helper refuses", NULL, "GPL",
	  CALL_WITH(MOV_IMM(R3, SQE_SIZE - 1)) },
	{ "a slot from the context", NULL, "GPL", CALL_WITH(LOAD(BPF_H, R4, R1, CTX(tag))) },
	{ "an SQE length with a bound", NULL, "GPL",
	  CALL_WITH(LOAD(BPF_W, R3, R1, CTX(op)),
		    INSN(BPF_ALU64 | BPF_AND | BPF_K, R3, 0, 0, SQE_SIZE - 1), ADD_IMM(R3, 1)) },
	{ "no licence for a program without helpers", NULL, "Proprietary", CODE(RETURN_SUBMIT) },
	{ "another attach type", "", "GPL", .wrong_attach_type = true, CODE(RETURN_SUBMIT) },
	{ "beyond the context", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, sizeof(struct ublk_bpf_ctx)), RETURN_SUBMIT) },
	{ "a reserved field", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(reserved0)), RETURN_SUBMIT) },
	{ "the reserved tail", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, CTX(reserved1)), RETURN_SUBMIT) },
	{ "before the context", "invalid bpf_context access off=-4", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, -4), RETURN_SUBMIT) },
	{ "the middle of a field", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(start_sector) + 4), RETURN_SUBMIT) },
	{ "part of a field", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_H, R2, R1, CTX(nr_sectors)), RETURN_SUBMIT) },
	{ "two fields at once", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, CTX(nr_sectors)), RETURN_SUBMIT) },
	{ "a write to the context", "invalid bpf_context access", "GPL",
	  CODE(STORE_IMM(BPF_W, R1, CTX(op), 0), RETURN_SUBMIT) },
	{ "a variable offset in the context", "variable ctx access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(op)), INSN(BPF_ALU64 | BPF_ADD | BPF_X, R1, R2, 0, 0),
	       LOAD(BPF_W, R3, R1, 0), RETURN_SUBMIT) },
	{ "an SQE from a number", "R2 type=scalar", "GPL",
	  CODE(MOV_IMM(R2, 4096), MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER),
	       RETURN_SUBMIT) },
	{ "an SQE below the stack", "invalid read from stack R2 off=-1024", "GPL",
	  CODE(MOV_REG(R2, R10), ADD_IMM(R2, -1024), MOV_IMM(R3, SQE_SIZE), MOV_IMM(R4, 0),
	       CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE beyond the stack", "invalid read from stack R2 off=-64 size=72", "GPL",
	  CODE(ZERO_SQE, MOV_REG(R2, R10), ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R3, SQE_SIZE + 8),
	       MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE length without a bound", "R3 unbounded memory access", "GPL",
	  CODE(ZERO_SQE, LOAD(BPF_W, R3, R1, CTX(nr_sectors)), ADD_IMM(R3, 1), MOV_REG(R2, R10),
	       ADD_IMM(R2, -SQE_SIZE), MOV_IMM(R4, 0), CALL(HELPER), RETURN_SUBMIT) },
	{ "an SQE length of 0", "R3 invalid zero-sized read", "GPL",
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
	{ "part of q_id", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_B, R2, R1, CTX(q_id)), RETURN_SUBMIT) },
	{ "q_id and tag at once", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(q_id)), RETURN_SUBMIT) },
	{ "half of start_sector", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_W, R2, R1, CTX(start_sector)), RETURN_SUBMIT) },
	{ "a field across the end", "invalid bpf_context access", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, sizeof(struct ublk_bpf_ctx) - 4), RETURN_SUBMIT) },
	{ "far beyond the context", "invalid bpf_context access off=4096", "GPL",
	  CODE(LOAD(BPF_DW, R2, R1, 4096), RETURN_SUBMIT) },
	{ "an atomic add to the context", "BPF_ATOMIC stores into R1 ctx is not allowed", "GPL",
	  CODE(MOV_IMM(R2, 1), INSN(BPF_STX | BPF_ATOMIC | BPF_W, R1, R2, CTX(op), BPF_ADD),
	       RETURN_SUBMIT) },
	{ "a register written to the context", "invalid bpf_context access off=16", "GPL",
	  CODE(MOV_IMM(R2, 1), INSN(BPF_STX | BPF_MEM | BPF_W, R1, R2, CTX(flags), 0),
	       RETURN_SUBMIT) },
	{ "the context as SQE", "R2 type=ctx", "GPL", CALL_WITH(MOV_REG(R2, R1)) },
	{ "no SQE", "R2 type=scalar", "GPL", CALL_WITH(MOV_IMM(R2, 0)) },
	{ "an SQE length that is negative", "R3 min value is negative", "GPL",
	  CALL_WITH(MOV_IMM(R3, -1)) },
	{ "an SQE length that is huge", "invalid read from stack R2 off=-64 size=1048576", "GPL",
	  CALL_WITH(MOV_IMM(R3, 1 << 20)) },
	{ "an SQE that begins above the stack", "invalid read from stack R2 off=0", "GPL",
	  CALL_WITH(MOV_REG(R2, R10)) },
	{ "a moved context", "dereference of modified ctx ptr R1", "GPL",
	  CALL_WITH(ADD_IMM(R1, 8)) },
	{ "a number as context", "R1 type=scalar", "GPL", CALL_WITH(MOV_IMM(R1, 0)) },
	{ "the helper of packets", "cannot use helper", "GPL", CALL_ONLY(BPF_FUNC_skb_load_bytes) },
	{ "the helper of XDP", "cannot use helper", "GPL", CALL_ONLY(BPF_FUNC_xdp_adjust_head) },
	{ "the helper of kprobes", "cannot use helper", "GPL",
	  CALL_ONLY(BPF_FUNC_override_return) },
	{ "the helper of sleepable programs", "sleepable helper", "GPL",
	  CALL_ONLY(BPF_FUNC_copy_from_user) },
	{ "a helper that does not exist", "invalid func unknown", "GPL", CALL_ONLY(100000) },
	{ "our helper in another type of program", "cannot use helper bpf_ublk_queue_sqe", "GPL",
	  .other_type = BPF_PROG_TYPE_SOCKET_FILTER, CALL_WITH(MOV_IMM(R4, 0)) },
	{ "a sleepable program", "cannot be sleepable", "GPL", .flags = BPF_F_SLEEPABLE,
	  CODE(RETURN_SUBMIT) },
	{ "a loop without an end", "unreachable insn", "GPL",
	  CODE(INSN(BPF_JMP | BPF_JA, 0, 0, -1, 0), RETURN_SUBMIT) },
	{ "no exit", "last insn is not an exit or jmp", "GPL", CODE(MOV_IMM(R0, 0)) },
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
	{ "complete: before the end, across two fields", "invalid bpf_context access", "GPL",
	  .complete = true, CODE(LOAD(BPF_DW, R2, R1, FAILURE(attempt) - 4), RETURN_SUBMIT) },
	{ "complete: half of a request's field", "invalid bpf_context access", "GPL",
	  .complete = true, CODE(LOAD(BPF_W, R2, R1, CTX(start_sector)), RETURN_SUBMIT) },
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
	int type = rule->other_type ?: features->prog_type;
	int fd;

	memcpy(insns, rule->insns, sizeof(insns));
	for (i = 0; i < rule->nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && insns[i].imm == HELPER)
			insns[i].imm = features->queue_sqe;
	if (!rule->wrong_attach_type && !rule->other_type)
		opts.expected_attach_type =
			rule->complete ? features->complete_type : features->attach_type;
	opts.prog_flags = rule->flags;
	log[0] = 0;

	fd = bpf_prog_load(type, "rule", rule->license, insns, rule->nr, &opts);
	if (fd >= 0) {
		close(fd);
		return !rule->log;
	}
	if (rule->log && *rule->log && strstr(log, rule->log))
		return true;
	if (rule->log && !*rule->log && errno == EINVAL && !*log)
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
