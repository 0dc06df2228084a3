/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_PLAN_H
#define COMPILER_PLAN_H

/*
 * The routing plan: for each rule, what depends on the LBA alone (its outcomes,
 * which the loader turns into segments) and what the program has to test once
 * for each request (the conditions, numbered for each direction).
 */
#include "ast.h"
#include "diag.h"
#include "test.h"

/* How much the program's code, and with it the verifier's work, may grow */
#define PLAN_MAX_TESTS	   512 /* in the conditions for reads, for writes, for flushes */
#define PLAN_MAX_MODIFIERS 512 /* rules with modifiers that are code */

struct plan_condition {
	const struct ast_rule *rule;
	const struct test *test;
};

struct plan_rule {
	const struct ast_rule *rule;
	/* For each combination of its LBA lists: as struct ublkpol_rule has it */
	__u32 *outcomes[UBLKPOL_NR_DIRS];
	const struct test *flush; /* TEST_NEVER: flushes do not match */
	__u32 flush_taker; /* an earlier rule that has all its flushes, or UBLKPOL_NO_RULE */
	__u32 modifiers; /* number, or 0 */
};

struct plan {
	const struct ast_policy *policy;
	struct plan_rule *rules; /* policy->nr_rules */
	struct plan_condition conditions[UBLKPOL_NR_DIRS][UBLKPOL_MAX_CONDITIONS];
	unsigned int nr_conditions[UBLKPOL_NR_DIRS];
	unsigned int nr_tests[UBLKPOL_NR_DIRS]; /* in these conditions */
	/* For each of them, where one can tell: those of earlier rules that it implies */
	__u64 implied[UBLKPOL_NR_DIRS][UBLKPOL_MAX_CONDITIONS];
	unsigned int nr_ticks[UBLKPOL_NR_DIRS]; /* rules with "every" */
	bool has_flush_ticks;
	unsigned int nr_flush_conditions;
	unsigned int nr_flush_tests;
	unsigned int nr_modifiers;
	__u64 mirrors[UBLKPOL_MAX_MIRRORS]; /* the legs of each: bit b is backend b */
	unsigned int nr_mirrors;
	bool has_trace;
};

/**
 * plan_build() - plan a checked policy
 * @plan: filled in; its memory comes from @arena
 * @diag: gets an error for each limit that the policy exceeds
 */
void plan_build(struct plan *plan, const struct ast_policy *policy, struct arena *arena,
		struct diag *diag);

#endif
