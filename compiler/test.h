/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_TEST_H
#define COMPILER_TEST_H

/*
 * What is left of a rule's condition where the operation and the LBA are known:
 * the test that the program makes, once for each request.
 */
#include "ast.h"

enum test_kind {
	TEST_NEVER,
	TEST_ALWAYS,
	TEST_TERM,
	TEST_AND,
	TEST_OR,
	TEST_NOT,
};

struct test {
	enum test_kind kind;
	const struct ast_condition *term;
	struct test *left;
	struct test *right; /* not of a TEST_NOT */
};

/**
 * test_reduce() - a rule's test for some operations, in one of its LBA lists or none
 * @ops: UBLKPOL_OP_*: the request is one of these
 * @lists: bit l: the LBA is in list l of the rule
 *
 * Return: a test from @arena; TEST_NEVER and TEST_ALWAYS are at the top of it
 * or not at all
 */
struct test *test_reduce(const struct ast_rule *rule, unsigned int ops, unsigned int lists,
			 struct arena *arena);

/** test_can_match() - can the rule match @ops anywhere? */
bool test_can_match(const struct ast_rule *rule, unsigned int ops, struct arena *arena);

/** test_is_equal() - is it the same test of the same terms? */
bool test_is_equal(const struct test *a, const struct test *b);

/** test_count() - how many terms; each span of queues or CPUs is one */
unsigned int test_count(const struct test *test);

/** test_has() - is a term of this kind in it? */
bool test_has(const struct test *test, enum ast_condition_kind kind);

#endif
