// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "policy_object.h"
#include "unit.h"

static void setup(void)
{
	libbpf_set_print(NULL);
}

static void is_refused(const char *path, int code, const char *reason)
{
	struct policy_object *policy = NULL;
	struct ublkpol_error err = { 0 };

	ck_assert_int_eq(policy_object_open(&policy, path, &err), code);
	ck_assert_ptr_null(policy);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_INPUT);
	ck_assert_msg(strstr(err.text, reason), "%s", err.text);
}

START_TEST(no_file)
{
	is_refused("/no/such/policy.bpf.o", -ENOENT, "No such file");
}
END_TEST

START_TEST(no_object)
{
	is_refused("/dev/null", -EINVAL, "no compiled policy");
	is_refused("/etc/passwd", -EINVAL, "no compiled policy");
	is_refused("/tmp", -EINVAL, "no compiled policy");
	is_refused("/proc/self/exe", -EINVAL, "no compiled policy");
}
END_TEST

START_TEST(closing_nothing)
{
	policy_object_close(NULL);
}
END_TEST

TCase *policy_object_case(void)
{
	TCase *tcase = tcase_create("policy_object");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, no_file);
	tcase_add_test(tcase, no_object);
	tcase_add_test(tcase, closing_nothing);
	return tcase;
}
