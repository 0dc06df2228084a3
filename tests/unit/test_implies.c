// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <linux/ublk_cmd.h>

#include "implies.h"
#include "unit.h"

static struct unit_policy policy;

static void teardown(void)
{
	unit_free(&policy);
}

/* What rule @number, which is for reads, tests in the program */
static const struct test *test_of(unsigned int number)
{
	ck_assert_uint_lt(number, policy.plan.nr_conditions[UBLKPOL_DIR_READ]);
	return policy.plan.conditions[UBLKPOL_DIR_READ][number].test;
}

static bool is_implied(const char *when, const char *then)
{
	char text[256];
	bool result;

	snprintf(text, sizeof(text),
		 "param p = 8KiB\nparam q = 8KiB\nparam n = 1\n"
		 "read %s -> fd0\nread %s -> fd0\ndefault -> fd0\n",
		 when, then);
	unit_compile(&policy, text);
	ck_assert_msg(!policy.diag.nr_errors, "%s", text);
	result = implies(test_of(0), test_of(1));
	unit_free(&policy);
	return result;
}

START_TEST(what_is_implied)
{
	static const char *const pairs[][2] = {
		{ "fua", "fua" },
		{ "fua meta", "fua" },
		{ "meta fua", "fua meta" },
		{ "fua", "fua or meta" },
		{ "fua or meta", "meta or sync or fua" },
		{ "fua (meta or sync)", "meta or sync" },
		{ "not (fua or meta)", "not fua" },
		{ "not fua", "not (fua meta)" },
		{ "not not fua", "fua" },
		{ "failfast", "failfast" },
		{ "not failfast", "not failfast" },
		{ "size == 4KiB", "size <= 4KiB" },
		{ "size < 4KiB", "size <= 4KiB" },
		{ "size <= 4KiB", "size < 8KiB" },
		{ "size > 8KiB", "size >= 8KiB" },
		{ "size > 8KiB", "not size <= 8KiB" },
		{ "not size <= 8KiB", "size != 8KiB" },
		{ "size == 4KiB", "size != 8KiB" },
		{ "size < $p", "size <= $p" },
		{ "size == $p", "not size > $p" },
		{ "aligned 8KiB", "aligned 4KiB" },
		{ "aligned $p", "aligned $p" },
		{ "not aligned 4KiB", "not aligned 8KiB" },
		{ "prio be 2", "prio be" },
		{ "prio rt", "prio > be 4" },
		{ "prio idle", "prio < be" },
		{ "prio idle", "not prio rt" },
		{ "prio be $n", "prio be $n" },
		{ "queue 1", "queue 0-2" },
		{ "queue 0, 2", "queue 2, 0" },
		{ "queue $n", "queue $n, 3" },
		{ "not queue 0-2", "not queue 1" },
		{ "cpu 3", "cpu 3" },
		{ "fua chance 1%", "fua" },
		{ "fua every 3", "fua" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ck_assert_msg(is_implied(pairs[i][0], pairs[i][1]), "'%s' implies '%s'",
			      pairs[i][0], pairs[i][1]);
}
END_TEST

START_TEST(what_is_not_implied)
{
	static const char *const pairs[][2] = {
		{ "fua", "meta" },
		{ "fua", "fua meta" },
		{ "fua or meta", "fua" },
		{ "fua", "not fua" },
		{ "not (fua meta)", "not fua" },
		{ "size <= 8KiB", "size < 8KiB" },
		{ "size < 8KiB", "size < 4KiB" },
		{ "size != 4KiB", "size < 4KiB" },
		{ "size <= $p", "size < $p" },
		{ "size <= $p", "size <= $q" },
		{ "size <= $p", "size <= 8KiB" },
		{ "size <= 4KiB", "size <= $p" },
		{ "aligned 4KiB", "aligned 8KiB" },
		{ "aligned $p", "aligned 4KiB" },
		{ "prio be", "prio be 2" },
		{ "prio be $n", "prio be 1" },
		{ "prio < be", "prio rt" },
		{ "queue 0-2", "queue 1" },
		{ "queue 1", "cpu 1" },
		{ "queue 1", "queue $n" },
		{ "not queue 1", "queue 0, 2-3" },
		/* Draws and turns of two rules have nothing in common */
		{ "chance 1%", "chance 1%" },
		{ "chance 1%", "chance 50%" },
		{ "not chance 1%", "not chance 1%" },
		{ "every 3", "every 3" },
		{ "every 6", "every 3" },
		{ "fua", "fua chance 99%" },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ck_assert_msg(!is_implied(pairs[i][0], pairs[i][1]), "'%s' does not imply '%s'",
			      pairs[i][0], pairs[i][1]);
}
END_TEST

/* --- every implication among many conditions, tried on many requests --- */

struct sample {
	__u64 size;
	unsigned int flags;
	unsigned int urgency; /* 8 levels for each class */
	unsigned int queue;
};

static bool compare(enum ast_comparison comparison, __u64 a, __u64 b)
{
	const bool results[] = {
		[AST_EQUAL] = a == b,
		[AST_NOT_EQUAL] = a != b,
		[AST_LESS] = a<b, [AST_AT_MOST] = a <= b, [AST_GREATER] = a> b,
		[AST_AT_LEAST] = a >= b,
	};

	return results[comparison];
}

/* The class without a level is all of its levels; what is more urgent is greater */
static bool prio_holds(const struct ast_condition *prio, unsigned int urgency)
{
	unsigned int class = urgency / 8, level = urgency % 8;

	if (prio->has_level)
		return compare(prio->comparison,
			       prio->prio_class * 8 + (unsigned int)prio->value.quantity.value,
			       class * 8 + level);
	return compare(prio->comparison, prio->prio_class, class);
}

static bool term_holds(const struct ast_condition *term, const struct sample *sample)
{
	switch (term->kind) {
	case AST_CONDITION_SIZE:
		return compare(term->comparison, sample->size, term->value.quantity.value);
	case AST_CONDITION_ALIGNED:
		return sample->size % term->value.quantity.value == 0;
	case AST_CONDITION_FLAG:
		return sample->flags & term->flags;
	case AST_CONDITION_PRIO:
		return prio_holds(term, sample->urgency);
	case AST_CONDITION_QUEUE:
		for (const struct ast_span *span = term->spans; span; span = span->next) {
			if (sample->queue >= span->first.quantity.value &&
			    sample->queue <= span->last.quantity.value)
				return true;
		}
		return false;
	default:
		ck_abort_msg("a term of kind %d", (int)term->kind);
	}
}

static bool holds(const struct test *test, const struct sample *sample)
{
	switch (test->kind) {
	case TEST_TERM:
		return term_holds(test->term, sample);
	case TEST_AND:
		return holds(test->left, sample) && holds(test->right, sample);
	case TEST_OR:
		return holds(test->left, sample) || holds(test->right, sample);
	case TEST_NOT:
		return !holds(test->left, sample);
	default:
		return test->kind == TEST_ALWAYS;
	}
}

static bool has_counterexample(const struct test *when, const struct test *then)
{
	static const unsigned int flags[] = { 0, UBLK_IO_F_FUA, UBLK_IO_F_META,
					      UBLK_IO_F_FUA | UBLK_IO_F_META,
					      UBLK_IO_F_FAILFAST_DEV };

	for (__u64 size = 512; size <= 9 << 10; size += 512) {
		for (size_t f = 0; f < sizeof(flags) / sizeof(flags[0]); f++) {
			for (unsigned int urgency = 8; urgency < 32; urgency++) {
				const struct sample sample = {
					size, flags[f], urgency,
					(unsigned int)(size / 512 + urgency) % 5
				};

				if (holds(when, &sample) && !holds(then, &sample))
					return true;
			}
		}
	}
	return false;
}

START_TEST(no_implication_has_a_counterexample)
{
	static const char *const terms[] = {
		"fua",		"meta",		"failfast",	"size <= 4KiB", "size < 4KiB",
		"size > 4KiB",	"size >= 8KiB", "size == 4KiB", "size != 8KiB", "aligned 1KiB",
		"aligned 4KiB", "prio be 2",	"prio be",	"prio < be 3",	"prio > be 3",
		"prio != rt",	"prio <= be",	"prio >= be 6", "queue 0-2",	"queue 1, 3-4",
	};
	enum { TERMS = sizeof(terms) / sizeof(terms[0]) };
	unsigned int found = 0, nr = 3 * TERMS;
	char text[8192];
	size_t used = 0;

	for (unsigned int i = 0; i < TERMS; i++) {
		const char *other = terms[(i * 7 + 3) % TERMS],
			   *third = terms[(i * 11 + 5) % TERMS];

		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 "read %s -> fd0\nread not (%s %s) -> fd0\n"
					 "read (%s or not %s) %s -> fd0\n",
					 terms[i], terms[i], other, terms[i], other, third);
	}
	snprintf(text + used, sizeof(text) - used, "default -> fd0\n");
	unit_compile(&policy, text);
	ck_assert_msg(!policy.diag.nr_errors, "%s", text);
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int k = 0; k < nr; k++) {
			if (i == k || !implies(test_of(i), test_of(k)))
				continue;
			found++;
			ck_assert_msg(!has_counterexample(test_of(i), test_of(k)),
				      "condition %u does not imply %u:\n%s", i, k, text);
		}
	}
	ck_assert_uint_gt(found, 100);
}
END_TEST

/* Long conditions end, whatever comes of it */
START_TEST(long_conditions)
{
	static char text[16384];
	size_t used = 0;

	for (int rule = 0; rule < 2; rule++) {
		used += (size_t)sprintf(text + used, "read fua");
		for (int i = 0; i < 200; i++)
			used += (size_t)sprintf(text + used, "%s size == %d", i ? " or" : " (",
						2 * i + 1 + rule);
		used += (size_t)sprintf(text + used, ") -> fd0\n");
	}
	sprintf(text + used, "default -> fd0\n");
	unit_compile(&policy, text);
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert(!implies(test_of(1), test_of(0)));
}
END_TEST

TCase *implies_case(void)
{
	TCase *tcase = tcase_create("implies");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, what_is_implied);
	tcase_add_test(tcase, what_is_not_implied);
	tcase_add_test(tcase, no_implication_has_a_counterexample);
	tcase_add_test(tcase, long_conditions);
	return tcase;
}
