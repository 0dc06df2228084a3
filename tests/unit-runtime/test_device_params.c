// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "device_params.h"
#include "suites.h"

static const struct ublk_params device = {
	.types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN | UBLK_PARAM_TYPE_DISCARD,
	.basic = { .logical_bs_shift = 12, .max_sectors = 2048, .dev_sectors = 1 << 20 },
	.dma = { .alignment = 511 },
	.discard = { .max_discard_sectors = 4096, .max_write_zeroes_sectors = 4096 },
};

START_TEST(the_same_promise_fits)
{
	struct ublkpol_error err = { 0 };

	ck_assert_msg(!device_params_check(&device, &device, &err), "said: %s", err.text);
}
END_TEST

START_TEST(more_than_was_promised_fits)
{
	struct ublk_params params = device, modest = device;
	struct ublkpol_error err = { 0 };

	params.basic.max_sectors = 4096;
	params.dma.alignment = 3;
	params.discard.max_discard_sectors = 1 << 20;
	modest.types &= ~UBLK_PARAM_TYPE_DISCARD;
	ck_assert_msg(!device_params_check(&device, &params, &err), "said: %s", err.text);
	ck_assert_msg(!device_params_check(&modest, &device, &err), "said: %s", err.text);
}
END_TEST

static void expect_refused(const struct ublk_params *params, const char *why)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_eq(device_params_check(&device, params, &err), -EINVAL);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_INPUT);
	ck_assert_msg(strstr(err.text, why), "said: %s", err.text);
}

START_TEST(less_does_not_fit)
{
	struct ublk_params params = device;

	params.basic.dev_sectors--;
	expect_refused(&params, "it makes a device of 536870400 bytes, the device has 536870912");
	params = device;
	params.basic.max_sectors = 1024;
	expect_refused(&params, "requests of 1048576 bytes, which the device takes, would fall");
	params = device;
	params.dma.alignment = 4095;
	expect_refused(&params, "aligned to a multiple of 4096 bytes, the device has 512");
	params = device;
	params.discard.max_discard_sectors = 0;
	expect_refused(&params, "the device takes discards, and a backend does not");
	params = device;
	params.discard.max_write_zeroes_sectors = 8;
	expect_refused(&params, "write-zeroes of 2097152 bytes would fall into too many parts");
	params.types &= ~UBLK_PARAM_TYPE_DISCARD;
	expect_refused(&params, "the device takes discards, and a backend does not");
}
END_TEST

START_TEST(the_block_size_stays)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_eq(device_params_check_block(&device, 512, 0, &err), 0);
	ck_assert_int_eq(device_params_check_block(&device, 4096, 4096, &err), 0);
	ck_assert_int_eq(device_params_check_block(&device, 512, 512, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, "declares blocks of 512 bytes, the device has 4096"),
		      "said: %s", err.text);
	err = (struct ublkpol_error){ 0 };
	ck_assert_int_eq(device_params_check_block(&device, 8192, 0, &err), -EINVAL);
	ck_assert_msg(strstr(err.text, "a backend needs blocks of 8192 bytes"), "said: %s",
		      err.text);
}
END_TEST

TCase *device_params_case(void)
{
	TCase *tc = tcase_create("device_params");

	tcase_add_test(tc, the_same_promise_fits);
	tcase_add_test(tc, more_than_was_promised_fits);
	tcase_add_test(tc, less_does_not_fit);
	tcase_add_test(tc, the_block_size_stays);
	return tc;
}
