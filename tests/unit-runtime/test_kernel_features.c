// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <linux/ublk_cmd.h>

#include "kernel_features.h"
#include "suites.h"

static const struct kernel_features complete = {
	.prog_type = 40,
	.attach_type = 70,
	.complete_type = 71,
	.queue_sqe = 250,
	.ublk_flags = UBLK_F_BPF | UBLK_F_USER_COPY,
};

START_TEST(a_complete_kernel_is_accepted)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_eq(kernel_features_require(&complete, &err), 0);
	ck_assert_int_eq(err.kind, UBLKPOL_ERR_NONE);
}
END_TEST

static void expect_missing(const struct kernel_features *features, enum ublkpol_error_kind kind,
			   const char *text)
{
	struct ublkpol_error err = { 0 };

	ck_assert_int_lt(kernel_features_require(features, &err), 0);
	ck_assert_int_eq(err.kind, kind);
	ck_assert_msg(!strncmp(err.text, text, strlen(text)), "said: %s", err.text);
}

START_TEST(what_is_missing_is_named)
{
	struct kernel_features features = complete;

	features.ublk_flags = UBLK_F_USER_COPY;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no UBLK_F_BPF");
	features.ublk_error = -ENOENT;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no ublk driver");
	features.ublk_error = -EACCES;
	expect_missing(&features, UBLKPOL_ERR_FAILED, "no permission to use /dev/ublk-control");
	features.queue_sqe = -1;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no bpf_ublk_queue_sqe()");
	features.complete_type = -1;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no BPF_UBLK_COMPLETE");
	features.attach_type = -1;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no BPF_UBLK_ROUTE");
	features.prog_type = -1;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel has no BPF_PROG_TYPE_UBLK: ");
	features.btf_error = -EMFILE;
	expect_missing(&features, UBLKPOL_ERR_FAILED, "cannot read the kernel's types");
	features.btf_error = -ENOENT;
	expect_missing(&features, UBLKPOL_ERR_KERNEL, "this kernel does not describe its types");
}
END_TEST

TCase *kernel_features_case(void)
{
	TCase *tc = tcase_create("kernel_features");

	tcase_add_test(tc, a_complete_kernel_is_accepted);
	tcase_add_test(tc, what_is_missing_is_named);
	return tc;
}
