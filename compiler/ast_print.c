// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ublk_cmd.h>
#include <linux/ublk_bpf.h>

#include "ast_print.h"
#include "ublkpol_object.h"

struct ast_printer {
	FILE *out;
	const struct source *source;
	struct arena arena; /* of the texts of quantities */
};

static void print_indent(const struct ast_printer *p, unsigned int depth)
{
	fprintf(p->out, "%*s", 2 * depth, "");
}

/* --- leaves --- */

static void print_quantity(struct ast_printer *p, const struct ast_quantity *quantity)
{
	fputs(source_text(p->source, &p->arena, quantity->location), p->out);
}

static void print_value(struct ast_printer *p, const struct ast_value *value)
{
	if (value->param)
		fprintf(p->out, "$%s", value->param->text);
	else
		print_quantity(p, &value->quantity);
}

static void print_ranges(struct ast_printer *p, const struct ast_range *ranges)
{
	for (const struct ast_range *range = ranges; range; range = range->next) {
		fputs(range == ranges ? " " : ", ", p->out);
		if (range->set) {
			fprintf(p->out, "set %s", range->set->text);
			continue;
		}
		print_quantity(p, &range->first);
		putc('-', p->out);
		print_quantity(p, &range->last);
	}
}

static void print_spans(struct ast_printer *p, const struct ast_span *spans)
{
	for (const struct ast_span *span = spans; span; span = span->next) {
		fputs(span == spans ? " " : ", ", p->out);
		print_value(p, &span->first);
		putc('-', p->out);
		print_value(p, &span->last);
	}
}

static void print_ops(const struct ast_printer *p, unsigned int ops)
{
	static const char *const names[UBLKPOL_NR_OPS] = { "read", "write", "flush", "discard",
							   "write-zeroes" };

	for (int i = 0; i < UBLKPOL_NR_OPS; i++) {
		if (ops & 1U << i)
			fprintf(p->out, " %s", names[i]);
	}
}

static const char *print_flag(unsigned int flags)
{
	switch (flags) {
	case UBLK_IO_F_FUA:
		return "fua";
	case UBLK_IO_F_META:
		return "meta";
	case UBLK_IO_F_SYNC:
		return "sync";
	case UBLK_IO_F_RAHEAD:
		return "readahead";
	case UBLK_IO_F_SWAP:
		return "swap";
	case UBLK_IO_F_NOUNMAP:
		return "nounmap";
	case UBLK_IO_F_IDLE:
		return "idle";
	default:
		return "failfast";
	}
}

static const char *const print_comparisons[] = {
	[AST_EQUAL] = "==",   [AST_NOT_EQUAL] = "!=", [AST_LESS] = "<",
	[AST_AT_MOST] = "<=", [AST_GREATER] = ">",    [AST_AT_LEAST] = ">=",
};

/* --- rules --- */

static void print_prio(struct ast_printer *p, const struct ast_condition *condition)
{
	static const char *const classes[] = { "?", "rt", "be", "idle" };

	fprintf(p->out, "prio %s %s", print_comparisons[condition->comparison],
		classes[condition->prio_class]);
	if (!condition->has_level)
		return;
	putc(' ', p->out);
	print_value(p, &condition->value);
}

static void print_condition(struct ast_printer *p, const struct ast_condition *condition,
			    unsigned int depth)
{
	print_indent(p, depth);
	switch (condition->kind) {
	case AST_CONDITION_AND:
		fputs("and", p->out);
		break;
	case AST_CONDITION_OR:
		fputs("or", p->out);
		break;
	case AST_CONDITION_NOT:
		fputs("not", p->out);
		break;
	case AST_CONDITION_LBA:
		fputs("LBA", p->out);
		print_ranges(p, condition->ranges);
		break;
	case AST_CONDITION_OPS:
		fputs("operation", p->out);
		print_ops(p, condition->ops);
		break;
	case AST_CONDITION_SIZE:
		fprintf(p->out, "size %s ", print_comparisons[condition->comparison]);
		print_value(p, &condition->value);
		break;
	case AST_CONDITION_ALIGNED:
		fputs("aligned ", p->out);
		print_value(p, &condition->value);
		break;
	case AST_CONDITION_FLAG:
		fputs(print_flag(condition->flags), p->out);
		break;
	case AST_CONDITION_PRIO:
		print_prio(p, condition);
		break;
	case AST_CONDITION_QUEUE:
		fputs("queue", p->out);
		print_spans(p, condition->spans);
		break;
	case AST_CONDITION_CPU:
		fputs("cpu", p->out);
		print_spans(p, condition->spans);
		break;
	case AST_CONDITION_CHANCE:
		fputs("chance ", p->out);
		print_value(p, &condition->value);
		break;
	case AST_CONDITION_EVERY:
		fputs("every ", p->out);
		print_value(p, &condition->value);
		break;
	}
	putc('\n', p->out);
	for (const struct ast_condition *c = condition->operands; c; c = c->next)
		print_condition(p, c, depth + 1);
}

static void print_legs(struct ast_printer *p, const struct ast_action *action)
{
	fputs(" {", p->out);
	for (const struct ast_name *name = action->names; name; name = name->next) {
		fprintf(p->out, " %s", name->text);
		if (name->has_weight) {
			putc(' ', p->out);
			print_quantity(p, &name->weight);
		}
	}
	fputs(" }", p->out);
}

static void print_composite(struct ast_printer *p, const struct ast_action *action,
			    const char *word, bool has_chunk)
{
	fputs(word, p->out);
	if (has_chunk) {
		putc(' ', p->out);
		print_quantity(p, &action->chunk);
	}
	print_legs(p, action);
}

static void print_target(struct ast_printer *p, const struct ast_action *action)
{
	switch (action->kind) {
	case AST_ACTION_BACKEND:
		fprintf(p->out, "backend %s", action->names->text);
		break;
	case AST_ACTION_STRIPE:
		print_composite(p, action, "stripe", true);
		break;
	case AST_ACTION_CONCAT:
		print_composite(p, action, "concat", false);
		break;
	case AST_ACTION_MIRROR:
		print_composite(p, action, "mirror", false);
		break;
	case AST_ACTION_HASH:
		print_composite(p, action, "hash", true);
		break;
	case AST_ACTION_ZERO:
		fputs("zero", p->out);
		break;
	case AST_ACTION_DROP:
		fputs("drop", p->out);
		break;
	case AST_ACTION_ERROR:
		fprintf(p->out, "error %s", action->names->text);
		break;
	case AST_ACTION_USER:
		fputs("user", p->out);
		break;
	}
}

static void print_action(struct ast_printer *p, const struct ast_action *action)
{
	print_target(p, action);
	if (action->has_at) {
		fputs(" @ ", p->out);
		print_quantity(p, &action->at);
	}
	if (action->has_read_choice) {
		static const char *const choices[] = { "first", "round-robin", "by LBA " };

		fprintf(p->out, " read %s", choices[action->read_choice]);
		if (action->read_choice == AST_READ_BY_LBA)
			print_quantity(p, &action->read_chunk);
	}
	if (action->is_degrade)
		fputs(" degrade", p->out);
}

static void print_modifier(struct ast_printer *p, const struct ast_modifier *modifier)
{
	switch (modifier->kind) {
	case AST_MODIFIER_COUNT:
		fprintf(p->out, "count %s", modifier->name->text);
		break;
	case AST_MODIFIER_TRACE:
		fputs("trace", p->out);
		break;
	case AST_MODIFIER_DELAY:
		fputs("delay ", p->out);
		print_value(p, &modifier->value);
		break;
	case AST_MODIFIER_LIMIT:
		fputs("limit ", p->out);
		print_value(p, &modifier->value);
		break;
	}
}

static void print_rule(struct ast_printer *p, const struct ast_rule *rule)
{
	fputs("rule", p->out);
	if (rule->label)
		fprintf(p->out, " %s", rule->label->text);
	putc('\n', p->out);
	if (rule->condition)
		print_condition(p, rule->condition, 1);
	else
		fputs("  default\n", p->out);

	fputs("  -> ", p->out);
	print_action(p, rule->action);
	putc('\n', p->out);
	for (const struct ast_modifier *m = rule->modifiers; m; m = m->next) {
		print_indent(p, 2);
		print_modifier(p, m);
		putc('\n', p->out);
	}
}

/* --- declarations --- */

static void print_declaration(struct ast_printer *p, const struct ast_declaration *declaration)
{
	static const char *const words[] = {
		[AST_DECLARE_BACKEND] = "backend",   [AST_DECLARE_SIZE] = "size",
		[AST_DECLARE_BLOCK] = "block",	     [AST_DECLARE_PARAM] = "param",
		[AST_DECLARE_SET] = "set",	     [AST_DECLARE_INCLUDE] = "include",
		[AST_DECLARE_LANGUAGE] = "language",
	};

	fputs(words[declaration->kind], p->out);
	if (declaration->name)
		fprintf(p->out, " %s", declaration->name->text);
	if (declaration->path)
		fprintf(p->out, " \"%s\"", declaration->path);
	if (declaration->quantity.location.first_line) {
		putc(' ', p->out);
		print_quantity(p, &declaration->quantity);
	}
	print_ranges(p, declaration->ranges);
	putc('\n', p->out);
}

void ast_print(FILE *out, const struct ast_policy *policy, const struct source *source)
{
	struct ast_printer p = { .out = out, .source = source };

	for (const struct ast_declaration *d = policy->declarations; d; d = d->next)
		print_declaration(&p, d);
	for (const struct ast_rule *rule = policy->rules; rule; rule = rule->next)
		print_rule(&p, rule);
	arena_free(&p.arena);
}
