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
			      "set hot { 0-1MiB }; param small = 4KiB\n"
			      "LBA hot read size <= $small -> a trace\n"
			      "LBA hot -> mirror { a fd0 } read by LBA 1MiB\n"
			      "LBA 100MiB-101MiB -> concat { fd0 fd1 }\n"
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
	REFUSED(data->version, 1);
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
	REFUSED(data->nr_targets, ~0U);
	REFUSED(data->nr_lists, ~0U);
	REFUSED(data->nr_parts, ~0U);
	REFUSED(data->nr_outcomes, ~0U);
	REFUSED(data->nr_sets, ~0U);
	REFUSED(data->nr_params, ~0U);
	REFUSED(data->nr_conditions[0], UBLKPOL_MAX_CONDITIONS + 1);
	REFUSED(data->nr_mirrors, ~0U);
	REFUSED(data->nr_modifiers, ~0U);
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
	__u32 *outcomes = table(data->outcomes);

	REFUSED(rules[0].ops, 1U << UBLKPOL_NR_OPS);
	REFUSED(rules[0].target, data->nr_targets);
	REFUSED(rules[0].first_list, 1);
	REFUSED(rules[1].first_list, 0);
	REFUSED(rules[0].nr_lists, ~0U);
	REFUSED(rules[0].nr_lists, UBLKPOL_MAX_LISTS + 1);
	REFUSED(rules[0].first_outcome[0], data->nr_outcomes);
	REFUSED(rules[0].first_outcome[1], data->nr_outcomes - 1);
	REFUSED(outcomes[0], data->nr_conditions[0]);
	REFUSED(rules[0].modifiers, data->nr_modifiers + 1);
	REFUSED(rules[0].at, 100);
	REFUSED(rules[0].at, ~0ULL - 511);
	REFUSED(rules[0].label, data->strings_size);
	REFUSED(rules[0].text, ~0U);
	REFUSED(rules[0].source, ~0U);
	REFUSED(rules[0].counter, ~0U);
	REFUSED(rules[1].at, 512);
	REFUSED(rules[5].at, 512); /* it has no ranges */
}
END_TEST

/* Number of the first target of this kind */
static unsigned int target_of(__u32 action)
{
	const struct ublkpol_target *targets = table(data->targets);
	unsigned int i = 0;

	while (targets[i].action != action)
		i++;
	return i;
}

START_TEST(bad_targets)
{
	struct ublkpol_target *targets = table(data->targets);
	unsigned int stripe = target_of(UBLKPOL_ACTION_STRIPE);
	unsigned int mirror = target_of(UBLKPOL_ACTION_MIRROR);
	unsigned int error = target_of(UBLKPOL_ACTION_ERROR);
	unsigned int alone = target_of(UBLKPOL_ACTION_BACKEND);
	__u32 *legs = table(data->legs);

	REFUSED(targets[0].action, UBLKPOL_NR_ACTIONS);
	REFUSED(targets[0].first_leg, data->nr_legs);
	REFUSED(targets[alone].nr_legs, 0);
	REFUSED(targets[alone].nr_legs, 2);
	REFUSED(targets[error].error, 0);
	REFUSED(targets[error].error, -5);
	REFUSED(targets[error].error, 4096);
	REFUSED(targets[error].nr_legs, 1);
	REFUSED(targets[stripe].chunk, 0);
	REFUSED(targets[stripe].chunk, 100);
	REFUSED(targets[stripe].nr_legs, 1);
	REFUSED(targets[mirror].nr_legs, 1);
	REFUSED(targets[mirror].chunk, 0);
	REFUSED(targets[mirror].read_choice, UBLKPOL_NR_READ_CHOICES);
	REFUSED(targets[mirror].mirror, data->nr_mirrors);
	REFUSED(legs[0], data->nr_backends);
	/* A concat's legs must be there alone */
	REFUSED(targets[target_of(UBLKPOL_ACTION_CONCAT) - 1].action, UBLKPOL_ACTION_STRIPE);
}
END_TEST

START_TEST(bad_lists)
{
	struct ublkpol_range *ranges = table(data->ranges);
	struct ublkpol_part *parts = table(data->parts);
	struct ublkpol_list *lists = table(data->lists);
	struct ublkpol_param *params = table(data->params);
	struct ublkpol_set *sets = table(data->sets);

	REFUSED(ranges[1].first.unit, 3);
	REFUSED(ranges[1].last.value, 100000000001ULL);
	REFUSED(ranges[0].last.value, 511);
	REFUSED(ranges[0].last.value, 1ULL << 63);
	REFUSED(lists[0].first_part, data->nr_parts + 1);
	REFUSED(lists[0].nr_parts, ~0U);
	REFUSED(parts[0].nr_ranges, ~0U);
	REFUSED(parts[0].set, 1);
	REFUSED(sets[0].name, ~0U);
	REFUSED(sets[0].nr_ranges, ~0U);
	REFUSED(params[0].name, ~0U);
	REFUSED(params[0].unit, UBLKPOL_NR_PARAM_UNITS);
	REFUSED(params[0].max, 0);
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
	tcase_add_test(tcase, bad_targets);
	tcase_add_test(tcase, bad_lists);
	tcase_add_test(tcase, random_damage);
	return tcase;
}
