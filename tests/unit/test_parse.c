// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "ublkpol_object.h"
#include "unit.h"

static struct unit_policy policy;

static void teardown(void)
{
	unit_free(&policy);
}

START_TEST(quantities)
{
	const struct ast_range *range;

	unit_parse(&policy, "LBA 0-50%, 1.25GiB-end, 2048-4096, 3B-4TiB -> a\n");
	ck_assert_int_eq(policy.diag.nr_errors, 0);

	range = policy.ast.rules->condition->ranges;
	ck_assert_int_eq(range->first.unit, AST_UNIT_NUMBER);
	ck_assert_int_eq(range->last.unit, AST_UNIT_PERCENT);
	ck_assert_uint_eq(range->last.digits, 50);

	range = range->next;
	ck_assert_int_eq(range->first.unit, AST_UNIT_BYTES);
	ck_assert_uint_eq(range->first.digits, 125);
	ck_assert_uint_eq(range->first.decimals, 2);
	ck_assert_uint_eq(range->first.factor, 1ULL << 30);
	ck_assert_int_eq(range->last.unit, AST_UNIT_END);

	range = range->next;
	ck_assert_int_eq(range->last.unit, AST_UNIT_NUMBER);
	ck_assert_uint_eq(range->last.digits, 4096);

	range = range->next;
	ck_assert_uint_eq(range->first.factor, 1);
	ck_assert_uint_eq(range->last.factor, 1ULL << 40);
	ck_assert_ptr_null(range->next);
}
END_TEST

START_TEST(locations)
{
	const struct ast_rule *rule;

	unit_parse(&policy, "# a comment\n\n\tname: LBA 0-1GiB read -> a # b\n");
	rule = policy.ast.rules;
	ck_assert_int_eq(rule->location.first_line, 3);
	ck_assert_int_eq(rule->location.first_column, 2);
	ck_assert_int_eq(rule->location.last_column, 28);
	ck_assert_int_eq(rule->condition->operands->location.first_column, 8);
	ck_assert_int_eq(rule->condition->operands->next->location.first_column, 19);
	ck_assert_str_eq(rule->label->text, "name");
	ck_assert_str_eq(source_text(&policy.source, &policy.arena, rule->location),
			 "name: LBA 0-1GiB read -> a");
}
END_TEST

START_TEST(text_is_one_line)
{
	unit_parse(&policy, "default -> stripe\t4KiB { # why\n\n  a\n  b } ;x: flush -> a");
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_str_eq(source_text(&policy.source, &policy.arena, policy.ast.rules->location),
			 "default -> stripe 4KiB { a b }");
	ck_assert_int_eq(policy.ast.rules->next->location.first_line, 4);
	ck_assert_uint_eq(policy.ast.rules->next->condition->ops, UBLKPOL_OP_FLUSH);
}
END_TEST

START_TEST(carriage_returns_are_blanks)
{
	unit_parse(&policy, "default -> a\r\nbackend a\r\n");
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_ptr_nonnull(policy.ast.rules);
	ck_assert_ptr_nonnull(policy.ast.declarations);
}
END_TEST

/* Each line has one error, and none of them hides the next */
START_TEST(errors_end_with_their_statement)
{
	unit_parse(&policy, "LBA -> a\n"
			    "default -> stripe 4KiB { a = b\n"
			    "default -> stripe 4KiB { a $ b\n"
			    "read ->; write ->; default -> a\n"
			    "x y z\n");
	ck_assert_int_eq(policy.diag.nr_errors, 6);
	ck_assert_ptr_nonnull(policy.ast.rules);
	ck_assert(policy.ast.rules->is_default);
	ck_assert_ptr_null(policy.ast.rules->next);
}
END_TEST

START_TEST(end_of_file_inside_braces)
{
	unit_parse(&policy, "default -> stripe 4KiB {\n");
	ck_assert_int_eq(policy.diag.nr_errors, 1);
}
END_TEST

START_TEST(empty_file)
{
	unit_parse(&policy, "");
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_ptr_null(policy.ast.rules);
}
END_TEST

/* Bytes of all kinds; the sanitizers are the judge */
START_TEST(noise)
{
	static const char *const words[] = {
		"LBA",	 "read",     "write", "->",	 "{",	   "}",	    "@",    "-",
		",",	 ";",	     "\n",    "default", "stripe", "64KiB", "50%",  "end",
		"fd0",	 ":",	     "=",     "\"a\"",	 "error",  "EIO",   "size", "backend",
		"block", "\xff\x80", "9e9",   "\"",	 "#",	   "0.1",
	};
	unsigned int state = 1;
	char text[4096];

	for (int round = 0; round < 300; round++) {
		size_t used = 0;

		for (int i = 0; i < 200; i++) {
			const char *word;

			state = state * 1103515245 + 12345;
			word = words[(state >> 16) % (sizeof(words) / sizeof(words[0]))];
			used += snprintf(text + used, sizeof(text) - used, "%s ", word);
		}
		unit_compile(&policy, text);
		unit_free(&policy);
	}
}
END_TEST

TCase *parse_case(void)
{
	TCase *tcase = tcase_create("parse");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, quantities);
	tcase_add_test(tcase, locations);
	tcase_add_test(tcase, text_is_one_line);
	tcase_add_test(tcase, carriage_returns_are_blanks);
	tcase_add_test(tcase, errors_end_with_their_statement);
	tcase_add_test(tcase, end_of_file_inside_braces);
	tcase_add_test(tcase, empty_file);
	tcase_add_test(tcase, noise);
	return tcase;
}
