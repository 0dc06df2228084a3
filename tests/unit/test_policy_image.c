// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "resolve.h"
#include "unit.h"

static struct unit_policy policy;
static struct ublkpol_header *data;
static size_t size;

static void setup(void)
{
	unit_compile(&policy, "size 1GiB\nblock 1KiB\nbackend a = \"/dev/a\"\n"
			      "x: LBA 0-25%, 50%-60% -> a @ 1MiB\n"
			      "LBA 64MiB-end read -> error EIO\n"
			      "default -> stripe 64KiB { fd0 fd1 }\n");
	ck_assert_int_eq(policy.diag.nr_errors, 0);
	data = unit_pack(&policy.image, &size);
}

static void teardown(void)
{
	free(data);
	unit_free(&policy);
}

static int open_image(void)
{
	struct ublkpol_error err = { 0 };
	struct policy_image image;
	int ret = policy_image_open(&image, data, size, &err);

	ck_assert_int_eq(!ret, err.kind == UBLKPOL_ERR_NONE);
	return ret;
}

static void *table(__u32 offset)
{
	return (char *)data + offset;
}

START_TEST(good_image)
{
	ck_assert_int_eq(open_image(), 0);
}
END_TEST

START_TEST(truncated)
{
	for (size_t shorter = 0; shorter < size; shorter++) {
		/* A copy of that very size, so that a sanitizer sees any byte too many */
		void *copy = malloc(shorter + !shorter);
		struct policy_image image;

		memcpy(copy, data, shorter);
		ck_assert_int_eq(policy_image_open(&image, copy, shorter, NULL), -EINVAL);
		free(copy);
	}
}
END_TEST

/* Writes VALUE to LVALUE, expects a refusal, restores */
#define REFUSED(lvalue, value)                                                               \
	do {                                                                                 \
		typeof(lvalue) before = lvalue;                                              \
                                                                                             \
		lvalue = value;                                                              \
		ck_assert_msg(open_image() == -EINVAL, #lvalue " = " #value " is accepted"); \
		lvalue = before;                                                             \
		ck_assert_int_eq(open_image(), 0);                                           \
	} while (0)

START_TEST(bad_header)
{
	REFUSED(data->magic, 1);
	REFUSED(data->version, 2);
	REFUSED(data->image_size, size + 1);
	REFUSED(data->image_size, 0);
	REFUSED(data->size, 1000);
	REFUSED(data->size, 1ULL << 63);
	REFUSED(data->block, 100);
	REFUSED(data->block, 768);
	REFUSED(data->source, data->strings_size);
	REFUSED(data->nr_backends, 65);
	REFUSED(data->nr_backends, ~0U);
	REFUSED(data->nr_rules, ~0U);
	REFUSED(data->nr_ranges, ~0U);
	REFUSED(data->nr_legs, ~0U);
	REFUSED(data->strings_size, ~0U);
	REFUSED(data->strings_size, 0);
	REFUSED(data->rules, data->rules + 4);
	REFUSED(data->rules, 0);
	REFUSED(data->ranges, size + 8);
	REFUSED(data->legs, ~7U);
}
END_TEST

START_TEST(bad_backends)
{
	struct ublkpol_backend *backends = table(data->backends);
	char *strings = table(data->strings);

	REFUSED(backends[0].name, data->strings_size);
	REFUSED(backends[0].name, 0); /* the empty string */
	REFUSED(backends[1].name, backends[0].name);
	REFUSED(backends[2].path, ~0U);
	REFUSED(strings[data->strings_size - 1], 'x');
}
END_TEST

START_TEST(bad_rules)
{
	struct ublkpol_rule *rules = table(data->rules);
	struct ublkpol_range *ranges = table(data->ranges);
	__u32 *legs = table(data->legs);

	REFUSED(rules[0].ops, 0);
	REFUSED(rules[0].ops, 1U << UBLKPOL_NR_OPS);
	REFUSED(rules[0].action, 77);
	REFUSED(rules[0].first_range, data->nr_ranges);
	REFUSED(rules[0].nr_ranges, ~0U);
	REFUSED(rules[0].first_leg, data->nr_legs);
	REFUSED(rules[0].nr_legs, 0);
	REFUSED(rules[0].at, 100);
	REFUSED(rules[0].at, ~0ULL - 511);
	REFUSED(rules[0].label, data->strings_size);
	REFUSED(rules[0].text, ~0U);
	REFUSED(rules[1].error, 0);
	REFUSED(rules[1].error, -5);
	REFUSED(rules[1].error, 4096);
	REFUSED(rules[1].nr_legs, 1);
	REFUSED(rules[1].at, 512);
	REFUSED(rules[2].chunk, 0);
	REFUSED(rules[2].chunk, 100);
	REFUSED(rules[2].nr_legs, 1);
	REFUSED(rules[2].at, 512); /* it has no ranges */
	REFUSED(ranges[0].first.unit, 3);
	REFUSED(ranges[0].last.value, 100000000001ULL);
	REFUSED(ranges[2].first.value, 511);
	REFUSED(ranges[2].first.value, 1ULL << 63);
	REFUSED(legs[0], data->nr_backends);
}
END_TEST

/* What passes the check must be safe to resolve; the sanitizers are the judge */
START_TEST(random_damage)
{
	const __u64 sectors[UBLKPOL_NR_OPS + 64] = { 1U << 22, 1U << 22, 1U << 22 };
	unsigned char *copy = malloc(size);
	unsigned int state = 1, accepted = 0;

	for (int round = 0; round < 20000; round++) {
		struct policy_image image;
		struct resolve_layout layout;

		memcpy(copy, data, size);
		for (int i = 0; i < 1 + round % 4; i++) {
			state = state * 1103515245 + 12345;
			copy[(state >> 8) % size] = round % 3 ? state >> 24 : 1U << (state >> 29);
		}
		if (policy_image_open(&image, copy, size, NULL))
			continue;
		accepted++;
		resolve_policy(&(struct resolve_input){ .image = &image,
							.backend_sectors = sectors,
							.block = 512 },
			       &layout);
		resolve_free(&layout);
	}
	free(copy);
	ck_assert_uint_gt(accepted, 100);
}
END_TEST

TCase *policy_image_case(void)
{
	TCase *tcase = tcase_create("policy_image");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, good_image);
	tcase_add_test(tcase, truncated);
	tcase_add_test(tcase, bad_header);
	tcase_add_test(tcase, bad_backends);
	tcase_add_test(tcase, bad_rules);
	tcase_add_test(tcase, random_damage);
	return tcase;
}
