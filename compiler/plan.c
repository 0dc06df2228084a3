// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "implies.h"
#include "plan.h"

static const unsigned int plan_dir_ops[UBLKPOL_NR_DIRS] = {
	[UBLKPOL_DIR_READ] = UBLKPOL_OP_READ,
	[UBLKPOL_DIR_WRITE] = UBLKPOL_WRITE_OPS,
};

static const char *const plan_dir_names[UBLKPOL_NR_DIRS] = { "reads", "writes" };

/* Says so if there are too many tests for @ops; true if not */
static bool plan_add_tests(unsigned int *nr, const struct ast_rule *rule, const struct test *test,
			   const char *ops, struct diag *diag)
{
	unsigned int before = *nr;

	*nr += test_count(test);
	if (*nr <= PLAN_MAX_TESTS)
		return true;
	if (before <= PLAN_MAX_TESTS)
		diag_error(diag, rule->location,
			   "each of 'size', 'prio', 'queue 1', 'queue 2-3' ... is one",
			   "the conditions of the rules for %s have more than %u tests", ops,
			   PLAN_MAX_TESTS);
	return false;
}

/* The number of @test among the conditions, where the rule may have it already */
static __u32 plan_number(struct plan *plan, const struct ast_rule *rule, const struct test *test,
			 int dir, struct diag *diag)
{
	unsigned int nr = plan->nr_conditions[dir];

	for (unsigned int i = nr; i-- && plan->conditions[dir][i].rule == rule;) {
		if (test_is_equal(plan->conditions[dir][i].test, test))
			return i;
		if (rule->every) {
			diag_error(diag, rule->every->location,
				   "put it in a rule whose LBA list has no 'or' and no 'not'",
				   "this would count requests in two places at once");
			return i;
		}
	}
	if (nr == UBLKPOL_MAX_CONDITIONS) {
		diag_error(diag, rule->location,
			   "rules with LBA and operations only do not count; join some of the "
			   "others with 'or'",
			   "more than %u rules for %s have conditions that the program tests",
			   UBLKPOL_MAX_CONDITIONS, plan_dir_names[dir]);
		return 0;
	}
	if (!plan_add_tests(&plan->nr_tests[dir], rule, test, plan_dir_names[dir], diag))
		return 0;
	plan->conditions[dir][nr] = (struct plan_condition){ rule, test };
	plan->nr_ticks[dir] += test_has(test, AST_CONDITION_EVERY);
	return plan->nr_conditions[dir]++;
}

static void plan_outcomes(struct plan *plan, struct plan_rule *out, int dir, struct arena *arena,
			  struct diag *diag)
{
	unsigned int nr = 1U << out->rule->nr_lists;

	out->outcomes[dir] = arena_alloc(arena, nr * sizeof(*out->outcomes[dir]));
	for (unsigned int lists = 0; lists < nr; lists++) {
		const struct test *test = test_reduce(out->rule, plan_dir_ops[dir], lists, arena);
		int nr_errors = diag->nr_errors;

		switch (test->kind) {
		case TEST_NEVER:
			out->outcomes[dir][lists] = UBLKPOL_NEVER;
			break;
		case TEST_ALWAYS:
			out->outcomes[dir][lists] = UBLKPOL_ALWAYS;
			break;
		default:
			out->outcomes[dir][lists] = plan_number(plan, out->rule, test, dir, diag);
			if (diag->nr_errors > nr_errors)
				return;
			break;
		}
	}
}

static void plan_flush(struct plan *plan, struct plan_rule *out, struct arena *arena,
		       struct diag *diag)
{
	static const struct test never = { .kind = TEST_NEVER };

	out->flush = &never;
	if (!out->rule->names_flush)
		return;
	out->flush = test_reduce(out->rule, UBLKPOL_OP_FLUSH, 0, arena);
	if (out->flush->kind == TEST_NEVER || out->flush->kind == TEST_ALWAYS)
		return;
	if (plan->nr_flush_conditions++ == UBLKPOL_MAX_CONDITIONS)
		diag_error(diag, out->rule->location, "join some of them with 'or'",
			   "more than %u rules for flushes have conditions",
			   UBLKPOL_MAX_CONDITIONS);
	plan->has_flush_ticks |= test_has(out->flush, AST_CONDITION_EVERY);
	plan_add_tests(&plan->nr_flush_tests, out->rule, out->flush, "flushes", diag);
}

static void plan_modifiers(struct plan *plan, struct plan_rule *out, struct diag *diag)
{
	for (const struct ast_modifier *m = out->rule->modifiers; m; m = m->next) {
		if (m->kind == AST_MODIFIER_COUNT)
			continue;
		plan->has_trace |= m->kind == AST_MODIFIER_TRACE;
		if (out->modifiers)
			continue;
		out->modifiers = ++plan->nr_modifiers;
		if (out->modifiers == PLAN_MAX_MODIFIERS + 1)
			diag_error(diag, out->rule->location, "'count' does not count",
				   "more than %u rules have modifiers", PLAN_MAX_MODIFIERS);
	}
}

/* Mirrors of the same backends are one; a program knows of each which legs failed */
static void plan_mirror(struct plan *plan, const struct ast_rule *rule, struct diag *diag)
{
	__u64 legs = 0;

	if (rule->action->kind != AST_ACTION_MIRROR)
		return;
	for (const struct ast_name *name = rule->action->names; name; name = name->next)
		legs |= 1ULL << name->index;
	for (unsigned int i = 0; i < plan->nr_mirrors; i++) {
		if (plan->mirrors[i] == legs)
			return;
	}
	if (plan->nr_mirrors == UBLKPOL_MAX_MIRRORS) {
		diag_error(diag, rule->location,
			   "mirrors of the same backends count as one, in whatever order",
			   "more than %u mirrors of different backends", UBLKPOL_MAX_MIRRORS);
		return;
	}
	plan->mirrors[plan->nr_mirrors++] = legs;
}

/* Which conditions can hold only where an earlier one has decided? */
static void plan_compare(struct plan *plan, int dir)
{
	for (unsigned int i = 0; i < plan->nr_conditions[dir]; i++) {
		const struct plan_condition *later = &plan->conditions[dir][i];

		for (unsigned int k = 0; k < i; k++) {
			const struct plan_condition *earlier = &plan->conditions[dir][k];

			if (earlier->rule != later->rule && implies(later->test, earlier->test))
				plan->implied[dir][i] |= 1ULL << k;
		}
	}
}

static void plan_compare_flushes(struct plan *plan, unsigned int index)
{
	struct plan_rule *rule = &plan->rules[index];

	rule->flush_taker = UBLKPOL_NO_RULE;
	if (rule->flush->kind == TEST_NEVER)
		return;
	for (unsigned int i = 0; i < index && rule->flush_taker == UBLKPOL_NO_RULE; i++) {
		if (plan->rules[i].flush->kind != TEST_NEVER &&
		    implies(rule->flush, plan->rules[i].flush))
			rule->flush_taker = i;
	}
}

void plan_build(struct plan *plan, const struct ast_policy *policy, struct arena *arena,
		struct diag *diag)
{
	unsigned int i = 0;

	*plan = (struct plan){ .policy = policy };
	plan->rules = arena_alloc(arena, (policy->nr_rules + 1) * sizeof(*plan->rules));
	for (const struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		struct plan_rule *out = &plan->rules[i++];

		out->rule = rule;
		plan_flush(plan, out, arena, diag);
		plan_compare_flushes(plan, rule->index);
		for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
			plan_outcomes(plan, out, dir, arena, diag);
		plan_modifiers(plan, out, diag);
		plan_mirror(plan, rule, diag);
	}
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		plan_compare(plan, dir);
}
