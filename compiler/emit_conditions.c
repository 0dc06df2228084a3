// SPDX-License-Identifier: GPL-2.0-only
/* What the program tests once for each request */
#include <stdbool.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "emit_internal.h"

#define EMIT_INLINE_MODIFIERS 16

/* --- values --- */

void emit_value(struct emit *e, const struct ast_value *value)
{
	if (value->param)
		emit(e, "ublkpol_params[%u]", value->param->index);
	else
		emit(e, "%lluULL", (unsigned long long)value->quantity.value);
}

/* A chance is compared with 32 random bits; the loader scales parameters alike */
static void emit_chance(struct emit *e, const struct ast_value *value)
{
	emit(e, "ublkpol_less(draw, ");
	if (value->param)
		emit_value(e, value);
	else
		emit(e, "%lluULL",
		     (unsigned long long)UBLKPOL_CHANCE_THRESHOLD(value->quantity.value));
	emit(e, ")");
}

/* --- terms --- */

/* @subject, such as "ublkpol_size(rq)", compared with what @value writes */
static void emit_comparison(struct emit *e, enum ast_comparison comparison, const char *subject,
			    const struct ast_value *value)
{
	static const char *const functions[] = {
		[AST_EQUAL] = "ublkpol_equal",	   [AST_NOT_EQUAL] = "ublkpol_equal",
		[AST_LESS] = "ublkpol_less",	   [AST_AT_LEAST] = "ublkpol_less",
		[AST_AT_MOST] = "ublkpol_at_most", [AST_GREATER] = "ublkpol_at_most",
	};
	bool is_negated = comparison == AST_NOT_EQUAL || comparison == AST_AT_LEAST ||
			  comparison == AST_GREATER;

	emit(e, "%s%s(%s, ", is_negated ? "(" : "", functions[comparison], subject);
	emit_value(e, value);
	emit(e, ")%s", is_negated ? " ^ 1)" : "");
}

/* The most or the least urgent number that @prio names; without a level, it names them all */
static void emit_prio_number(struct emit *e, const struct ast_condition *prio, unsigned int level)
{
	emit(e, "UBLKPOL_PRIO(%d, ", prio->prio_class);
	if (prio->has_level)
		emit_value(e, &prio->value);
	else
		emit(e, "%u", level);
	emit(e, ")");
}

/* The more urgent priority is the greater one, but has the smaller number */
static void emit_prio(struct emit *e, const struct ast_condition *prio)
{
	static const struct {
		const char *before, *after;
		int low, high; /* levels, or -1 */
	} forms[] = {
		[AST_EQUAL] = { "ublkpol_between(ublkpol_prio(rq), ", ")", 0, 7 },
		[AST_NOT_EQUAL] = { "(ublkpol_between(ublkpol_prio(rq), ", ") ^ 1)", 0, 7 },
		[AST_LESS] = { "(ublkpol_at_most(ublkpol_prio(rq), ", ") ^ 1)", -1, 7 },
		[AST_AT_MOST] = { "(ublkpol_less(ublkpol_prio(rq), ", ") ^ 1)", 0, -1 },
		[AST_GREATER] = { "ublkpol_less(ublkpol_prio(rq), ", ")", 0, -1 },
		[AST_AT_LEAST] = { "ublkpol_at_most(ublkpol_prio(rq), ", ")", -1, 7 },
	};
	int low = forms[prio->comparison].low, high = forms[prio->comparison].high;

	emit(e, "%s", forms[prio->comparison].before);
	if (low >= 0)
		emit_prio_number(e, prio, (unsigned int)low);
	if (low >= 0 && high >= 0)
		emit(e, ", ");
	if (high >= 0)
		emit_prio_number(e, prio, (unsigned int)high);
	emit(e, "%s", forms[prio->comparison].after);
}

static void emit_spans(struct emit *e, const char *subject, const struct ast_span *spans)
{
	emit(e, "(");
	for (const struct ast_span *span = spans; span; span = span->next) {
		emit(e, "%sublkpol_between(%s, ", span == spans ? "" : " | ", subject);
		emit_value(e, &span->first);
		emit(e, ", ");
		emit_value(e, &span->last);
		emit(e, ")");
	}
	emit(e, ")");
}

/* Some of the operations that follow the rules for writes */
static void emit_ops(struct emit *e, unsigned int ops)
{
	bool has_discard = ops & UBLKPOL_OP_DISCARD;

	emit(e, "(");
	if (has_discard)
		emit(e, "ublkpol_equal(rq->op, UBLK_IO_OP_DISCARD)");
	if (ops & UBLKPOL_OP_WRITE_ZEROES)
		emit(e, "%sublkpol_equal(rq->op, UBLK_IO_OP_WRITE_ZEROES)",
		     has_discard ? " | " : "");
	emit(e, ")");
}

static void emit_flags(struct emit *e, unsigned int flags)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} names[] = {
		{ UBLK_IO_F_FAILFAST_DEV, "FAILFAST_DEV" },
		{ UBLK_IO_F_FAILFAST_TRANSPORT, "FAILFAST_TRANSPORT" },
		{ UBLK_IO_F_FAILFAST_DRIVER, "FAILFAST_DRIVER" },
		{ UBLK_IO_F_META, "META" },
		{ UBLK_IO_F_FUA, "FUA" },
		{ UBLK_IO_F_NOUNMAP, "NOUNMAP" },
		{ UBLK_IO_F_SWAP, "SWAP" },
		{ UBLK_IO_F_SYNC, "SYNC" },
		{ UBLK_IO_F_RAHEAD, "RAHEAD" },
		{ UBLK_IO_F_IDLE, "IDLE" },
	};
	const char *before = "ublkpol_has(rq, ";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(flags & names[i].flag))
			continue;
		emit(e, "%sUBLK_IO_F_%s", before, names[i].name);
		before = " | ";
	}
	emit(e, ")");
}

static void emit_term(struct emit *e, const struct ast_condition *term)
{
	switch (term->kind) {
	case AST_CONDITION_OPS:
		emit_ops(e, term->ops);
		break;
	case AST_CONDITION_SIZE:
		emit_comparison(e, term->comparison, "ublkpol_size(rq)", &term->value);
		break;
	case AST_CONDITION_ALIGNED:
		emit(e, "ublkpol_aligned(rq, ");
		emit_value(e, &term->value);
		emit(e, ")");
		break;
	case AST_CONDITION_FLAG:
		emit_flags(e, term->flags);
		break;
	case AST_CONDITION_PRIO:
		emit_prio(e, term);
		break;
	case AST_CONDITION_QUEUE:
		emit_spans(e, "rq->queue", term->spans);
		break;
	case AST_CONDITION_CPU:
		emit_spans(e, "rq->cpu", term->spans);
		break;
	case AST_CONDITION_CHANCE:
		emit_chance(e, &term->value);
		break;
	default:
		emit(e, "tick");
		break;
	}
}

void emit_test(struct emit *e, const struct test *test)
{
	switch (test->kind) {
	case TEST_NEVER:
	case TEST_ALWAYS:
		emit(e, "%d", test->kind == TEST_ALWAYS);
		break;
	case TEST_TERM:
		emit_term(e, test->term);
		break;
	case TEST_NOT:
		emit(e, "(");
		emit_test(e, test->left);
		emit(e, " ^ 1)");
		break;
	default:
		emit(e, "(");
		emit_test(e, test->left);
		emit(e, test->kind == TEST_AND ? " & " : " | ");
		emit_test(e, test->right);
		emit(e, ")");
		break;
	}
}

/* --- the conditions of a direction --- */

static const char *const emit_dirs[UBLKPOL_NR_DIRS] = { "read", "write" };

static void emit_condition(struct emit *e, int dir, unsigned int number)
{
	const struct plan_condition *condition = &e->plan->conditions[dir][number];
	const struct ublkpol_rule *rule = &e->image->rules[condition->rule->index];

	emit(e, "\n/* %u: ", rule->line);
	emit_comment(e, emit_text(e, rule->text));
	emit(e, " */\n");
	emit_policy_line(e, rule);
	emit(e, "UBLKPOL_CONDITION(%s_%u) { return ", emit_dirs[dir], number);
	emit_test(e, condition->test);
	emit(e, "; }\n");
	emit_program_line(e);
}

/* A rule draws once, for all of its conditions */
static void emit_draw(struct emit *e, int dir, unsigned int number)
{
	const struct plan_condition *condition = &e->plan->conditions[dir][number];
	bool is_first = !number || condition[-1].rule != condition->rule;

	if (condition->rule->has_chance && is_first)
		emit(e, "\tdraw = ublkpol_random();\n");
}

static bool emit_needs_draw(const struct emit *e, int dir)
{
	for (unsigned int i = 0; i < e->plan->nr_conditions[dir]; i++) {
		if (e->plan->conditions[dir][i].rule->has_chance)
			return true;
	}
	return false;
}

static void emit_direction(struct emit *e, int dir)
{
	const char *draw = emit_needs_draw(e, dir) ? "draw" : "0";

	for (unsigned int i = 0; i < e->plan->nr_conditions[dir]; i++)
		emit_condition(e, dir, i);

	emit(e,
	     "\nUBLKPOL_PART int policy_%s_conditions(struct ublkpol_request *rq "
	     "ublkpol_nonnull)\n{\n",
	     emit_dirs[dir]);
	if (!e->plan->nr_conditions[dir])
		emit(e, "\t(void)rq;\n");
	if (emit_needs_draw(e, dir))
		emit(e, "\t__u64 draw = 0;\n\n");
	for (unsigned int i = 0; i < e->plan->nr_conditions[dir]; i++) {
		bool has_tick = test_has(e->plan->conditions[dir][i].test, AST_CONDITION_EVERY);

		emit_draw(e, dir, i);
		if (has_tick)
			emit(e,
			     "\tublkpol_await_tick(rq, %u, %s_%u(rq, %s, 1), %s_%u(rq, %s, 0));\n",
			     i, emit_dirs[dir], i, draw, emit_dirs[dir], i, draw);
		else
			emit(e, "\tublkpol_note(rq, %u, %s_%u(rq, %s, 0));\n", i, emit_dirs[dir], i,
			     draw);
	}
	emit(e, "\treturn 0;\n}\n");
}

static void emit_ticks(struct emit *e)
{
	emit(e, "/* Is it this request's turn, for the rule's \"every\"? */\n");
	emit(e, "UBLKPOL_GLOBAL bool policy_tick(__u32 rule)\n{\n\tswitch (rule) {\n");
	for (const struct ast_rule *rule = e->plan->policy->rules; rule; rule = rule->next) {
		if (!rule->every)
			continue;
		emit(e, "\tcase %u:\n\t\treturn ublkpol_tick(%u, ", rule->index, rule->index);
		emit_value(e, &rule->every->value);
		emit(e, ");\n");
	}
	emit(e, "\tdefault:\n\t\treturn false;\n\t}\n}\n\n");
}

void emit_conditions(struct emit *e)
{
	if (!e->plan->nr_conditions[UBLKPOL_DIR_READ] && !e->plan->nr_conditions[UBLKPOL_DIR_WRITE])
		return;
	emit(e, "/* What is tested once for each request: 1 if it holds, else 0 */\n");
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		emit_direction(e, dir);
	emit(e, "\n");
	if (e->plan->nr_ticks[UBLKPOL_DIR_READ] || e->plan->nr_ticks[UBLKPOL_DIR_WRITE])
		emit_ticks(e);
}

/* --- modifiers --- */

static void emit_modifier(struct emit *e, const struct ast_modifier *modifier, __u32 number)
{
	bool is_iops;

	switch (modifier->kind) {
	case AST_MODIFIER_TRACE:
		emit(e, "\t\tublkpol_trace_request(rq, rule, requests);\n");
		break;
	case AST_MODIFIER_DELAY:
		emit(e, "\t\tublkpol_delay(rq, ");
		emit_value(e, &modifier->value);
		emit(e, ");\n");
		break;
	case AST_MODIFIER_LIMIT:
		is_iops = modifier->value.param
				  ? e->plan->policy->params[modifier->value.param->index].unit ==
					    UBLKPOL_PARAM_IOPS
				  : modifier->value.quantity.unit == AST_UNIT_IOPS;
		emit(e, "\t\tublkpol_limit_%s(rq, %u, %s, ", is_iops ? "requests" : "bytes", number,
		     is_iops ? "requests" : "bytes");
		emit_value(e, &modifier->value);
		emit(e, ");\n");
		break;
	default:
		break;
	}
}

/* The modifiers with the numbers from @first up to @end */
static void emit_modifier_cases(struct emit *e, __u32 first, __u32 end)
{
	emit(e, "{\n\tswitch (modifiers) {\n");
	for (__u32 i = 0; i < e->plan->policy->nr_rules; i++) {
		const struct plan_rule *rule = &e->plan->rules[i];

		if (!rule->modifiers || rule->modifiers < first || rule->modifiers >= end)
			continue;
		emit(e, "\tcase %u: /* line %u */\n", rule->modifiers, e->image->rules[i].line);
		for (const struct ast_modifier *m = rule->rule->modifiers; m; m = m->next)
			emit_modifier(e, m, rule->modifiers);
		emit(e, "\t\tbreak;\n");
	}
	emit(e, "\t}\n\treturn 0;\n}\n\n");
}

static void emit_modifiers_head(struct emit *e)
{
	emit(e, "(struct ublkpol_request *rq ublkpol_nonnull,\n"
		"\t\t__u32 modifiers, __u32 rule ublkpol_unused, __u32 requests ublkpol_unused,\n"
		"\t\t__u64 bytes ublkpol_unused)\n");
}

void emit_modifiers(struct emit *e)
{
	__u32 end = e->plan->nr_modifiers + 1;

	if (!e->plan->nr_modifiers)
		return;
	emit(e,
	     "/* What a rule does besides routing; @requests: 1 for each new stretch of one */\n");
	if (end <= EMIT_INLINE_MODIFIERS) {
		emit(e, "static __always_inline int policy_modify");
		emit_modifiers_head(e);
		emit_modifier_cases(e, 0, end);
		return;
	}
	for (__u32 first = 0; first < end; first += EMIT_GROUP) {
		emit(e, "UBLKPOL_GLOBAL int policy_modify_%u", first / EMIT_GROUP);
		emit_modifiers_head(e);
		emit_modifier_cases(e, first, first + EMIT_GROUP);
	}
	emit(e, "static __always_inline int policy_modify");
	emit_modifiers_head(e);
	emit(e, "{\n\tswitch (modifiers / %u) {\n", EMIT_GROUP);
	for (__u32 i = 0; i * EMIT_GROUP < end; i++)
		emit(e,
		     "\tcase %u:\n"
		     "\t\treturn policy_modify_%u(rq, modifiers, rule, requests, bytes);\n",
		     i, i);
	emit(e, "\tdefault:\n\t\treturn 0;\n\t}\n}\n\n");
}
