// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy_values.h"
#include "unit.h"

static const char policy_text[] = "param number = 100\n"
				  "param bytes = 64KiB\n"
				  "param percent = 12.5%\n"
				  "param time = 5ms\n"
				  "param rate = 100MiB/s\n"
				  "param iops = 500iops\n"
				  "set hot { 0-1MiB }\n"
				  "LBA hot read size < $bytes chance $percent -> error EIO\n"
				  "every $number -> fd0 delay $time\n"
				  "prio idle -> fd0 limit $rate\n"
				  "prio rt -> fd0 limit $iops\n"
				  "default -> fd0\n";

static struct unit_policy policy;
static struct policy_values values;

static void setup(void)
{
	unit_compile(&policy, policy_text);
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	ck_assert_int_eq(policy_values_init(&values, &policy.image), 0);
}

static void teardown(void)
{
	policy_values_free(&values);
	unit_free(&policy);
}

static void expect_text(const char *name, const char *text)
{
	for (__u32 i = 0; i < policy.image.header->nr_params; i++) {
		char *now;

		if (strcmp(policy.image.strings + policy.image.params[i].name, name))
			continue;
		now = policy_values_text(&values, &policy.image, i);
		ck_assert_str_eq(now, text);
		free(now);
		return;
	}
	ck_abort_msg("no parameter %s", name);
}

START_TEST(values_are_written_as_the_policy_writes_them)
{
	expect_text("number", "100");
	expect_text("bytes", "64KiB");
	expect_text("percent", "12.5%");
	expect_text("time", "5ms");
	expect_text("rate", "100MiB/s");
	expect_text("iops", "500iops");
}
END_TEST

static const struct {
	const char *name;
	const char *text;
	const char *shown;
} settings[] = {
	{ "number", "7", "7" },	       { "bytes", "1024KiB", "1MiB" },
	{ "bytes", "3", "1536B" },     { "percent", "0.000001%", "0.000001%" },
	{ "percent", "100%", "100%" }, { "time", "1500us", "1500us" },
	{ "time", "60s", "60s" },      { "rate", "1536KiB/s", "1536KiB/s" },
	{ "iops", "1iops", "1iops" },
};

START_TEST(what_was_set_is_shown_in_the_largest_unit)
{
	struct ublkpol_error err = { 0 };

	ck_assert_msg(!policy_values_set(&values, &policy.image, settings[_i].name,
					 settings[_i].text, &err),
		      "%s", err.text);
	expect_text(settings[_i].name, settings[_i].shown);
}
END_TEST

static const struct {
	const char *name;
	const char *text;
	const char *why;
} refusals[] = {
	{ "bites", "1", "no parameter and no set 'bites'" },
	{ "bytes", "", "'' is no value of 'bytes': write it like 64KiB" },
	{ "bytes", "64 KiB", "write it like 64KiB" },
	{ "bytes", "-1KiB", "write it like 64KiB" },
	{ "time", "5", "write it like 5ms" },
	{ "number", "1%", "write it like 100" },
	{ "number", "0", "must not be 0" },
	{ "percent", "101%", "too large" },
	{ "hot", "2MiB-1MiB", "set 'hot', line 1" },
};

START_TEST(what_cannot_be_set_changes_nothing)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_eq(policy_values_set(&values, &policy.image, refusals[_i].name,
					   refusals[_i].text, &err),
			 -EINVAL);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_INPUT);
	ck_assert_msg(strstr(err.text, refusals[_i].why), "said: %s", err.text);
	expect_text("bytes", "64KiB");
	ck_assert(!values.sets[0].is_replaced);
}
END_TEST

TCase *policy_values_case(void)
{
	TCase *tcase = tcase_create("policy_values");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, values_are_written_as_the_policy_writes_them);
	tcase_add_loop_test(tcase, what_was_set_is_shown_in_the_largest_unit, 0,
			    sizeof(settings) / sizeof(settings[0]));
	tcase_add_loop_test(tcase, what_cannot_be_set_changes_nothing, 0,
			    sizeof(refusals) / sizeof(refusals[0]));
	return tcase;
}
