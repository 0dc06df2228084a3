// SPDX-License-Identifier: GPL-2.0-only
#include "test.h"

struct test_context {
	struct arena *arena;
	unsigned int ops;
	unsigned int lists;
};

static struct test test_never = { .kind = TEST_NEVER };
static struct test test_always = { .kind = TEST_ALWAYS };

static struct test *test_new(struct arena *arena, enum test_kind kind, struct test *left,
			     struct test *right)
{
	struct test *test = arena_alloc(arena, sizeof(*test));

	test->kind = kind;
	test->left = left;
	test->right = right;
	return test;
}

static struct test *test_constant(bool value)
{
	return value ? &test_always : &test_never;
}

static struct test *test_join(const struct test_context *context, enum test_kind kind,
			      struct test *left, struct test *right)
{
	/* What decides an AND or OR alone, and what does nothing in it */
	enum test_kind decides = kind == TEST_AND ? TEST_NEVER : TEST_ALWAYS;
	enum test_kind neutral = kind == TEST_AND ? TEST_ALWAYS : TEST_NEVER;

	if (left->kind == decides || right->kind == neutral)
		return left;
	if (right->kind == decides || left->kind == neutral)
		return right;
	return test_new(context->arena, kind, left, right);
}

static struct test *test_negate(const struct test_context *context, struct test *test)
{
	switch (test->kind) {
	case TEST_NEVER:
		return &test_always;
	case TEST_ALWAYS:
		return &test_never;
	case TEST_NOT:
		return test->left;
	default:
		return test_new(context->arena, TEST_NOT, test, NULL);
	}
}

static struct test *test_of(const struct test_context *context,
			    const struct ast_condition *condition)
{
	struct test *test;

	switch (condition->kind) {
	case AST_CONDITION_AND:
	case AST_CONDITION_OR:
		test = test_constant(condition->kind == AST_CONDITION_AND);
		for (const struct ast_condition *c = condition->operands; c; c = c->next)
			test = test_join(context,
					 condition->kind == AST_CONDITION_AND ? TEST_AND : TEST_OR,
					 test, test_of(context, c));
		return test;
	case AST_CONDITION_NOT:
		return test_negate(context, test_of(context, condition->operands));
	case AST_CONDITION_LBA:
		return test_constant(context->lists >> condition->index & 1);
	case AST_CONDITION_OPS:
		if (!(context->ops & ~condition->ops))
			return &test_always;
		if (!(context->ops & condition->ops))
			return &test_never;
		break;
	default:
		break;
	}
	test = test_new(context->arena, TEST_TERM, NULL, NULL);
	test->term = condition;
	return test;
}

struct test *test_reduce(const struct ast_rule *rule, unsigned int ops, unsigned int lists,
			 struct arena *arena)
{
	const struct test_context context = { arena, ops, lists };

	return rule->condition ? test_of(&context, rule->condition) : &test_always;
}

bool test_can_match(const struct ast_rule *rule, unsigned int ops, struct arena *arena)
{
	/* A flush has no LBA */
	unsigned int combinations = ops == UBLKPOL_OP_FLUSH ? 1 : 1U << rule->nr_lists;

	for (unsigned int lists = 0; lists < combinations; lists++) {
		if (test_reduce(rule, ops, lists, arena)->kind != TEST_NEVER)
			return true;
	}
	return false;
}

/* A policy may join any number of terms, from the left: they are no depth of recursion */
bool test_is_equal(const struct test *a, const struct test *b)
{
	for (; a != b; a = a->left, b = b->left) {
		if (!a || !b || a->kind != b->kind || a->term != b->term ||
		    !test_is_equal(a->right, b->right))
			return false;
	}
	return true;
}

bool test_has(const struct test *test, enum ast_condition_kind kind)
{
	for (; test && test->kind != TEST_TERM; test = test->left) {
		if (test_has(test->right, kind))
			return true;
	}
	return test && test->term->kind == kind;
}

unsigned int test_count(const struct test *test)
{
	unsigned int joined = 0, nr = 0;

	for (; test && test->kind != TEST_TERM; test = test->left)
		joined += test_count(test->right);
	if (!test)
		return joined;
	for (const struct ast_span *span = test->term->spans; span; span = span->next)
		nr++;
	return joined + (nr ? nr : 1);
}
