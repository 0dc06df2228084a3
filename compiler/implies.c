// SPDX-License-Identifier: GPL-2.0-only
#include <linux/types.h>

#include "implies.h"

#define IMPLIES_LEVELS	  8U /* of each class of priorities */
#define IMPLIES_MAX_STEPS 4096U /* of one comparison: long conditions must not take for ever */

/* A test or its opposite */
struct implies_side {
	const struct test *test; /* no TEST_NOT */
	bool is_not;
};

static struct implies_side implies_side(const struct test *test, bool is_not)
{
	while (test->kind == TEST_NOT) {
		test = test->left;
		is_not = !is_not;
	}
	return (struct implies_side){ test, is_not };
}

static struct implies_side implies_left(struct implies_side side)
{
	return implies_side(side.test->left, side.is_not);
}

static struct implies_side implies_right(struct implies_side side)
{
	return implies_side(side.test->right, side.is_not);
}

/* Of the opposite of an AND, one half is enough, and the other way round */
static enum test_kind implies_kind(struct implies_side side)
{
	if (!side.is_not)
		return side.test->kind;
	switch (side.test->kind) {
	case TEST_AND:
		return TEST_OR;
	case TEST_OR:
		return TEST_AND;
	case TEST_ALWAYS:
		return TEST_NEVER;
	case TEST_NEVER:
		return TEST_ALWAYS;
	default:
		return side.test->kind;
	}
}

/* --- terms --- */

static bool implies_is_same_value(const struct ast_value *a, const struct ast_value *b)
{
	if (a->param || b->param)
		return a->param && b->param && a->param->index == b->param->index;
	return a->quantity.value == b->quantity.value;
}

/* How @number stands to a bound of which it is less, the same or greater: -1, 0 or 1 */
static bool implies_compares(enum ast_comparison comparison, int order)
{
	switch (comparison) {
	case AST_EQUAL:
		return order == 0;
	case AST_NOT_EQUAL:
		return order != 0;
	case AST_LESS:
		return order < 0;
	case AST_AT_MOST:
		return order <= 0;
	case AST_GREATER:
		return order > 0;
	default:
		return order >= 0;
	}
}

static int implies_order(__u64 number, __u64 bound)
{
	return (number > bound) - (number < bound);
}

/* Between and beside the bounds of two comparisons their results do not change */
static bool implies_size(const struct ast_condition *a, bool not_a, const struct ast_condition *b,
			 bool not_b)
{
	__u64 bounds[2] = { a->value.quantity.value, b->value.quantity.value };

	/* One parameter, whatever it is: all that counts is how the size stands to it */
	if (implies_is_same_value(&a->value, &b->value))
		bounds[0] = bounds[1] = 1;
	else if (a->value.param || b->value.param)
		return false;
	for (int i = 0; i < 2; i++) {
		__u64 first = bounds[i] ? bounds[i] - 1 : 0;

		for (__u64 size = first; size <= bounds[i] + 1; size++) {
			bool holds_a =
				implies_compares(a->comparison, implies_order(size, bounds[0]));
			bool holds_b =
				implies_compares(b->comparison, implies_order(size, bounds[1]));

			if (holds_a != not_a && holds_b == not_b)
				return false;
		}
	}
	return true;
}

static bool implies_aligned(const struct ast_condition *a, bool not_a,
			    const struct ast_condition *b, bool not_b)
{
	const struct ast_value *multiple = not_a ? &b->value : &a->value;
	const struct ast_value *divisor = not_a ? &a->value : &b->value;

	if (not_a != not_b)
		return false;
	if (multiple->param || divisor->param)
		return implies_is_same_value(multiple, divisor);
	return multiple->quantity.value % divisor->quantity.value == 0;
}

/* As emit_prio() has it: urgency, most urgent first, where @prio begins and ends */
static bool implies_prio_holds(const struct ast_condition *prio, unsigned int urgency)
{
	unsigned int first = prio->prio_class * IMPLIES_LEVELS, last = first + IMPLIES_LEVELS - 1;

	if (prio->has_level)
		first = last = first + (unsigned int)prio->value.quantity.value;
	return implies_compares(prio->comparison, urgency < first ? 1 : urgency > last ? -1 : 0);
}

static bool implies_prio(const struct ast_condition *a, bool not_a, const struct ast_condition *b,
			 bool not_b)
{
	if ((a->has_level && a->value.param) || (b->has_level && b->value.param))
		return not_a == not_b && a->comparison == b->comparison &&
		       a->prio_class == b->prio_class && a->has_level && b->has_level &&
		       implies_is_same_value(&a->value, &b->value);
	for (unsigned int urgency = AST_PRIO_RT * IMPLIES_LEVELS;
	     urgency < (AST_PRIO_IDLE + 1) * IMPLIES_LEVELS; urgency++) {
		if (implies_prio_holds(a, urgency) != not_a &&
		    implies_prio_holds(b, urgency) == not_b)
			return false;
	}
	return true;
}

/* Does @outer hold all of @inner? */
static bool implies_span_holds(const struct ast_span *outer, const struct ast_span *inner)
{
	if (implies_is_same_value(&outer->first, &inner->first) &&
	    implies_is_same_value(&outer->last, &inner->last))
		return true;
	return !outer->first.param && !outer->last.param && !inner->first.param &&
	       !inner->last.param && outer->first.quantity.value <= inner->first.quantity.value &&
	       outer->last.quantity.value >= inner->last.quantity.value;
}

static bool implies_spans(const struct ast_condition *a, bool not_a, const struct ast_condition *b,
			  bool not_b)
{
	const struct ast_condition *inner = not_a ? b : a, *outer = not_a ? a : b;

	if (not_a != not_b)
		return false;
	for (const struct ast_span *span = inner->spans; span; span = span->next) {
		const struct ast_span *holder = outer->spans;

		while (holder && !implies_span_holds(holder, span))
			holder = holder->next;
		if (!holder)
			return false;
	}
	return true;
}

/* One of @a, or none if @not_a, and the same for @b */
static bool implies_bits(unsigned int a, bool not_a, unsigned int b, bool not_b)
{
	if (not_a != not_b)
		return false;
	return not_a ? !(b & ~a) : !(a & ~b);
}

static bool implies_term(struct implies_side when, struct implies_side then)
{
	const struct ast_condition *a = when.test->term, *b = then.test->term;

	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case AST_CONDITION_OPS:
		return implies_bits(a->ops, when.is_not, b->ops, then.is_not);
	case AST_CONDITION_FLAG:
		return implies_bits(a->flags, when.is_not, b->flags, then.is_not);
	case AST_CONDITION_SIZE:
		return implies_size(a, when.is_not, b, then.is_not);
	case AST_CONDITION_ALIGNED:
		return implies_aligned(a, when.is_not, b, then.is_not);
	case AST_CONDITION_PRIO:
		return implies_prio(a, when.is_not, b, then.is_not);
	case AST_CONDITION_QUEUE:
	case AST_CONDITION_CPU:
		return implies_spans(a, when.is_not, b, then.is_not);
	default:
		return false;
	}
}

/* --- what they make up --- */

/* First where both halves must do: there, nothing is lost by a look at one half at a time */
static bool implies_sides(struct implies_side when, struct implies_side then, unsigned int *steps)
{
	enum test_kind when_kind = implies_kind(when), then_kind = implies_kind(then);

	if (!*steps)
		return false;
	--*steps;
	if (when_kind == TEST_NEVER || then_kind == TEST_ALWAYS)
		return true;
	if (when_kind == TEST_OR)
		return implies_sides(implies_left(when), then, steps) &&
		       implies_sides(implies_right(when), then, steps);
	if (then_kind == TEST_AND)
		return implies_sides(when, implies_left(then), steps) &&
		       implies_sides(when, implies_right(then), steps);
	if (then_kind == TEST_OR && (implies_sides(when, implies_left(then), steps) ||
				     implies_sides(when, implies_right(then), steps)))
		return true;
	if (when_kind == TEST_AND)
		return implies_sides(implies_left(when), then, steps) ||
		       implies_sides(implies_right(when), then, steps);
	return when_kind == TEST_TERM && then_kind == TEST_TERM && implies_term(when, then);
}

bool implies(const struct test *when, const struct test *then)
{
	unsigned int steps = IMPLIES_MAX_STEPS;

	return implies_sides(implies_side(when, false), implies_side(then, false), &steps);
}
