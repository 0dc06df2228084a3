// SPDX-License-Identifier: GPL-2.0-only
/* What a rule matches */
#include <stdint.h>

#include "check_internal.h"
#include "test.h"

#define CHECK_MAX_DEPTH 64 /* conditions inside each other */
#define CHECK_MAX_QUEUE 65535U

/* --- the terms --- */

static void check_lba(struct check *check, struct ast_rule *rule, struct ast_condition *condition)
{
	for (struct ast_range *range = condition->ranges; range; range = range->next) {
		if (range->set) {
			check_find_set(check, range->set);
			continue;
		}
		check_range(check, range);
	}
	if (rule->nr_lists == UBLKPOL_MAX_LISTS) {
		diag_error(check->diag, condition->location, "join lists, or divide the rule",
			   "more than %u lists of ranges in one rule", UBLKPOL_MAX_LISTS);
		return;
	}
	condition->index = rule->nr_lists;
	rule->lists[rule->nr_lists++] = condition;
}

static void check_prio(struct check *check, struct ast_condition *condition)
{
	static const struct check_use level = { .unit = UBLKPOL_PARAM_NUMBER,
						.max = 7,
						.example = "7" };

	if (!condition->has_level)
		return;
	if (check_value(check, &condition->value, &level) && condition->prio_class == AST_PRIO_IDLE)
		diag_error(check->diag, condition->value.location, NULL,
			   "the class idle has no levels");
}

static void check_spans(struct check *check, struct ast_condition *condition)
{
	static const struct check_use number = { .unit = UBLKPOL_PARAM_NUMBER,
						 .max = CHECK_MAX_QUEUE,
						 .example = "65535" };

	for (struct ast_span *span = condition->spans; span; span = span->next) {
		bool is_first_good = check_value(check, &span->first, &number);
		bool is_last_good = check_value(check, &span->last, &number);

		if (is_first_good && is_last_good && !span->first.param && !span->last.param &&
		    span->first.quantity.value > span->last.quantity.value)
			diag_error(check->diag, span->location, "the lower end comes first",
				   "the range is reversed");
	}
}

static void check_every(struct check *check, struct ast_rule *rule, struct ast_condition *condition)
{
	static const struct check_use period = { .unit = UBLKPOL_PARAM_NUMBER,
						 .flags = UBLKPOL_PARAM_NOT_ZERO,
						 .max = INT64_MAX,
						 .example = "100" };

	check_value(check, &condition->value, &period);
	if (rule->every) {
		diag_error(check->diag, condition->location, "divide the rule",
			   "a second 'every' in one rule");
		diag_also(check->diag, rule->every->location, "");
	}
	rule->every = condition;
}

static void check_term(struct check *check, struct ast_rule *rule, struct ast_condition *condition)
{
	static const struct check_use size = { .unit = UBLKPOL_PARAM_BYTES, .max = INT64_MAX };
	static const struct check_use align = { .unit = UBLKPOL_PARAM_BYTES,
						.flags = UBLKPOL_PARAM_NOT_ZERO |
							 UBLKPOL_PARAM_POWER_OF_TWO,
						.max = INT64_MAX };
	static const struct check_use chance = { .unit = UBLKPOL_PARAM_PERCENT,
						 .max = 100000000000ULL,
						 .example = "100%" };

	switch (condition->kind) {
	case AST_CONDITION_LBA:
		check_lba(check, rule, condition);
		break;
	case AST_CONDITION_OPS:
		if (condition->ops & UBLKPOL_OP_WRITE)
			condition->ops |= UBLKPOL_WRITE_OPS;
		rule->names_flush |= !!(condition->ops & UBLKPOL_OP_FLUSH);
		break;
	case AST_CONDITION_SIZE:
		check_value(check, &condition->value, &size);
		break;
	case AST_CONDITION_ALIGNED:
		check_value(check, &condition->value, &align);
		break;
	case AST_CONDITION_PRIO:
		check_prio(check, condition);
		break;
	case AST_CONDITION_QUEUE:
	case AST_CONDITION_CPU:
		check_spans(check, condition);
		break;
	case AST_CONDITION_CHANCE:
		check_value(check, &condition->value, &chance);
		rule->has_chance = true;
		break;
	case AST_CONDITION_EVERY:
		check_every(check, rule, condition);
		break;
	default:
		break;
	}
}

/* --- terms side by side --- */

static bool check_has_set(const struct ast_condition *condition)
{
	for (const struct ast_range *range = condition->ranges; range; range = range->next) {
		if (range->set)
			return true;
	}
	return false;
}

/* What nobody means: the second of two lists of one kind narrows the first */
static void check_side_by_side(struct check *check, const struct ast_condition *operands)
{
	const struct ast_condition *lba = NULL, *ops = NULL;

	for (const struct ast_condition *c = operands; c; c = c->next) {
		if (c->kind == AST_CONDITION_LBA && !check_has_set(c)) {
			if (lba) {
				diag_error(check->diag, c->location,
					   "join the ranges with a comma: 'LBA a-b, c-d'",
					   "a second list of ranges");
				diag_also(check->diag, lba->location, "");
			}
			lba = c;
		}
		if (c->kind == AST_CONDITION_OPS) {
			if (ops) {
				diag_error(check->diag, c->location,
					   "join the operations with a comma: 'read, write'",
					   "no request is two operations at once");
				diag_also(check->diag, ops->location, "");
			}
			ops = c;
		}
	}
}

static void check_tree(struct check *check, struct ast_rule *rule, struct ast_condition *condition,
		       unsigned int depth)
{
	if (depth > CHECK_MAX_DEPTH) {
		diag_error(check->diag, condition->location, NULL,
			   "more than %u conditions inside each other", CHECK_MAX_DEPTH);
		return;
	}
	if (condition->kind == AST_CONDITION_AND)
		check_side_by_side(check, condition->operands);
	for (struct ast_condition *c = condition->operands; c; c = c->next)
		check_tree(check, rule, c, depth + 1);
	check_term(check, rule, condition);
}

/* --- what the whole of it can match --- */

static unsigned int check_possible_ops(struct check *check, const struct ast_rule *rule)
{
	unsigned int ops = 0;

	for (unsigned int op = 0; op < UBLKPOL_NR_OPS; op++) {
		if (1U << op == UBLKPOL_OP_FLUSH && !rule->names_flush)
			continue;
		if (test_can_match(rule, 1U << op, check->arena))
			ops |= 1U << op;
	}
	return ops;
}

/* What stands under "not" only says once more that a rule with an LBA list matches no flush */
static void check_flush(struct check *check, const struct ast_condition *condition, bool is_not)
{
	if (condition->kind == AST_CONDITION_OPS && condition->ops & UBLKPOL_OP_FLUSH && !is_not)
		diag_error(check->diag, condition->location, "give 'flush' a rule of its own",
			   "a flush has no LBA");
	for (const struct ast_condition *c = condition->operands; c; c = c->next)
		check_flush(check, c, is_not != (condition->kind == AST_CONDITION_NOT));
}

/* The words that bring discards into the rule, or the whole condition */
static struct location check_discard_location(const struct ast_condition *condition)
{
	for (const struct ast_condition *c = condition->operands; c; c = c->next) {
		if (c->kind == AST_CONDITION_OPS)
			return c->location;
	}
	return condition->location;
}

void check_condition(struct check *check, struct ast_rule *rule)
{
	int nr_errors = check->diag->nr_errors;

	if (!rule->condition) {
		rule->ops = CHECK_DATA_OPS;
		return;
	}
	check_tree(check, rule, rule->condition, 0);
	if (check->diag->nr_errors > nr_errors)
		return;
	rule->ops = check_possible_ops(check, rule);

	if (rule->names_flush && rule->nr_lists && !(rule->ops & UBLKPOL_OP_FLUSH))
		check_flush(check, rule->condition, false);
	if (!(rule->ops & UBLKPOL_OP_WRITE) && rule->ops & UBLKPOL_WRITE_OPS &&
	    rule->action->kind != AST_ACTION_ERROR && rule->action->kind != AST_ACTION_ZERO &&
	    rule->action->kind != AST_ACTION_DROP && rule->action->kind != AST_ACTION_USER)
		diag_error(check->diag, check_discard_location(rule->condition),
			   "discard and write-zeroes follow the rules for writes; a rule of their "
			   "own can only be an error, drop, zero or user",
			   "discards without the writes of the same LBA");
	if (!rule->ops && check->diag->nr_errors == nr_errors)
		diag_error(check->diag, rule->condition->location, NULL,
			   "no request can meet this condition");
}
