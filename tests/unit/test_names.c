// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>

#include "names.h"
#include "unit.h"

START_TEST(distance_counts_edits)
{
	ck_assert_uint_eq(names_distance("read", "read"), 0);
	ck_assert_uint_eq(names_distance("read", "READ"), 0);
	ck_assert_uint_eq(names_distance("raed", "read"), 1);
	ck_assert_uint_eq(names_distance("rea", "read"), 1);
	ck_assert_uint_eq(names_distance("reads", "read"), 1);
	ck_assert_uint_eq(names_distance("", "read"), 4);
	ck_assert_uint_eq(names_distance("kitten", "sitting"), 3);
	ck_assert_uint_eq(names_distance("a_name_that_is_longer_than_31_bytes", "read"), UINT_MAX);
}
END_TEST

START_TEST(closest_does_not_guess_wildly)
{
	static const char *const words[] = { "read", "write", "LBA", "default" };

	ck_assert_str_eq(names_closest("wirte", words, 4), "write");
	ck_assert_str_eq(names_closest("lba", words, 4), "LBA");
	ck_assert_str_eq(names_closest("LAB", words, 4), "LBA");
	ck_assert_ptr_null(names_closest("mirror", words, 4));
	ck_assert_ptr_null(names_closest("x", words, 4));
	ck_assert_ptr_null(names_closest("read", words, 0));
}
END_TEST

START_TEST(errno_names)
{
	ck_assert_int_eq(names_errno("EIO"), EIO);
	ck_assert_int_eq(names_errno("ENOSPC"), ENOSPC);
	ck_assert_int_eq(names_errno("EHWPOISON"), EHWPOISON);
	ck_assert_int_eq(names_errno("ENOTSUP"), EOPNOTSUPP);
	ck_assert_int_eq(names_errno("EWOULDBLOCK"), EAGAIN);
	ck_assert_int_eq(names_errno("EDEADLOCK"), EDEADLK);
	ck_assert_int_eq(names_errno("eio"), 0);
	ck_assert_int_eq(names_errno("0"), 0);
	ck_assert_str_eq(names_closest_errno("ENOSPCE"), "ENOSPC");
	ck_assert_ptr_null(names_closest_errno("BROKEN"));
}
END_TEST

TCase *names_case(void)
{
	TCase *tcase = tcase_create("names");

	tcase_add_test(tcase, distance_counts_edits);
	tcase_add_test(tcase, closest_does_not_guess_wildly);
	tcase_add_test(tcase, errno_names);
	return tcase;
}
