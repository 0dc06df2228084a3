// SPDX-License-Identifier: GPL-2.0-only
#include "ublkpol_object.h"
#include "unit.h"

static struct unit_policy policy;

static void teardown(void)
{
	unit_free(&policy);
}

/* Ends of the only range of the only rule, as the image has them */
static void check_range_is(const char *range, __u64 first, __u64 last, enum ublkpol_unit unit)
{
	char text[128];

	snprintf(text, sizeof(text), "LBA %s -> fd0\n", range);
	unit_compile(&policy, text);
	ck_assert_msg(!policy.diag.nr_errors, "%s is refused", range);
	ck_assert_uint_eq(policy.image.ranges[0].first.value, first);
	ck_assert_uint_eq(policy.image.ranges[0].last.value, last);
	ck_assert_uint_eq(policy.image.ranges[0].last.unit, unit);
	unit_free(&policy);
}

START_TEST(values_are_exact)
{
	check_range_is("0-1", 0, 512, UBLKPOL_UNIT_BYTES);
	check_range_is("0-512B", 0, 512, UBLKPOL_UNIT_BYTES);
	check_range_is("0-0.5KiB", 0, 512, UBLKPOL_UNIT_BYTES);
	check_range_is("1.5-2GiB", 3ULL << 29, 2ULL << 30, UBLKPOL_UNIT_BYTES);
	check_range_is("1-2GiB", 1ULL << 30, 2ULL << 30, UBLKPOL_UNIT_BYTES);
	check_range_is("2048-4096", 1U << 20, 2U << 20, UBLKPOL_UNIT_BYTES);
	check_range_is("0-8388607TiB", 0, 8388607ULL << 40, UBLKPOL_UNIT_BYTES);
	check_range_is("25-50%", 25000000000, 50000000000, UBLKPOL_UNIT_PERCENT);
	check_range_is("0-0.000000001%", 0, 1, UBLKPOL_UNIT_PERCENT);
	check_range_is("0-100%", 0, 100000000000, UBLKPOL_UNIT_PERCENT);
	check_range_is("7-end", 7 * 512, 0, UBLKPOL_UNIT_END);
	check_range_is("10%-20GiB", 10000000000, 20ULL << 30, UBLKPOL_UNIT_BYTES);
}
END_TEST

static unsigned int ops_of(const char *text)
{
	unsigned int ops;

	unit_compile(&policy, text);
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ops = policy.image.rules[0].ops;
	unit_free(&policy);
	return ops;
}

START_TEST(operations_of_a_rule)
{
	const unsigned int write = UBLKPOL_OP_WRITE | UBLKPOL_OP_DISCARD | UBLKPOL_OP_WRITE_ZEROES;

	ck_assert_uint_eq(ops_of("default -> fd0"), UBLKPOL_OP_READ | write);
	ck_assert_uint_eq(ops_of("LBA 0-1 -> fd0"), UBLKPOL_OP_READ | write);
	ck_assert_uint_eq(ops_of("read -> fd0"), UBLKPOL_OP_READ);
	/* Without "flush" it would match no flush either */
	ck_assert_uint_eq(ops_of("LBA 0-1 not flush -> fd0"), UBLKPOL_OP_READ | write);
	ck_assert_uint_eq(ops_of("LBA 0-1 not (meta or flush) -> fd0"), UBLKPOL_OP_READ | write);
	ck_assert_uint_eq(ops_of("size 8\nLBA 0-8 not read, flush -> fd0 @ 8"), write);
	ck_assert_uint_eq(ops_of("not (LBA 0-1 not flush) -> error EIO"),
			  UBLKPOL_OP_READ | write | UBLKPOL_OP_FLUSH);
	ck_assert_uint_eq(ops_of("write -> fd0"), write);
	ck_assert_uint_eq(ops_of("flush, read -> fd0"), UBLKPOL_OP_FLUSH | UBLKPOL_OP_READ);
	ck_assert_uint_eq(ops_of("discard -> error EIO"), UBLKPOL_OP_DISCARD);
}
END_TEST

START_TEST(unused_backends_get_no_slot)
{
	unit_compile(&policy, "backend unused\nbackend b\nbackend c = \"/x\"\n"
			      "read -> c\ndefault -> stripe 4KiB { fd3 c b }\n");
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_int_eq(policy.diag.nr_warnings, 1);
	ck_assert_uint_eq(policy.image.header->nr_backends, 3);
	ck_assert_str_eq(policy.image.strings + policy.image.backends[0].name, "b");
	ck_assert_str_eq(policy.image.strings + policy.image.backends[0].path, "");
	ck_assert_str_eq(policy.image.strings + policy.image.backends[1].name, "c");
	ck_assert_str_eq(policy.image.strings + policy.image.backends[1].path, "/x");
	ck_assert_str_eq(policy.image.strings + policy.image.backends[2].name, "fd3");
	ck_assert_uint_eq(policy.image.legs[0], 1);
	ck_assert_uint_eq(policy.image.legs[1], 2);
	ck_assert_uint_eq(policy.image.legs[2], 1);
	ck_assert_uint_eq(policy.image.legs[3], 0);
}
END_TEST

START_TEST(equal_actions_share_a_target)
{
	unit_compile(&policy, "size 1GiB\nLBA 0-1 -> fd0\nLBA 1-2 -> fd1\nLBA 2-3 -> fd0 @ 8\n"
			      "LBA 3-4 -> error EIO\nLBA 4-5 -> stripe 1 { fd0 fd1 }\n"
			      "LBA 5-6 -> stripe 1 { fd1 fd0 }\nLBA 6-7 -> error EIO\n"
			      "LBA 7-8 -> stripe 1 { fd0 fd1 }\nLBA 8-9 -> error EROFS\n");
	static const unsigned int expected[] = { 0, 1, 0, 2, 3, 4, 2, 3, 5 };

	ck_assert_int_eq(policy.diag.nr_errors, 0);
	for (int i = 0; i < 9; i++)
		ck_assert_uint_eq(policy.image.rules[i].target, expected[i]);
}
END_TEST

TCase *check_case(void)
{
	TCase *tcase = tcase_create("check");

	tcase_add_checked_fixture(tcase, NULL, teardown);
	tcase_add_test(tcase, values_are_exact);
	tcase_add_test(tcase, operations_of_a_rule);
	tcase_add_test(tcase, unused_backends_get_no_slot);
	tcase_add_test(tcase, equal_actions_share_a_target);
	return tcase;
}
