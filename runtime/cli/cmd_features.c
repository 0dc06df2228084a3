// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include <linux/ublk_cmd.h>

#include "cli.h"
#include "json.h"
#include "kernel_features.h"

static const struct {
	__u64 flag;
	const char *name;
} ublk_flags[] = {
	{ UBLK_F_SUPPORT_ZERO_COPY, "SUPPORT_ZERO_COPY" },
	{ UBLK_F_URING_CMD_COMP_IN_TASK, "URING_CMD_COMP_IN_TASK" },
	{ UBLK_F_NEED_GET_DATA, "NEED_GET_DATA" },
	{ UBLK_F_USER_RECOVERY, "USER_RECOVERY" },
	{ UBLK_F_USER_RECOVERY_REISSUE, "USER_RECOVERY_REISSUE" },
	{ UBLK_F_UNPRIVILEGED_DEV, "UNPRIVILEGED_DEV" },
	{ UBLK_F_CMD_IOCTL_ENCODE, "CMD_IOCTL_ENCODE" },
	{ UBLK_F_USER_COPY, "USER_COPY" },
	{ UBLK_F_ZONED, "ZONED" },
	{ UBLK_F_USER_RECOVERY_FAIL_IO, "USER_RECOVERY_FAIL_IO" },
	{ UBLK_F_UPDATE_SIZE, "UPDATE_SIZE" },
	{ UBLK_F_AUTO_BUF_REG, "AUTO_BUF_REG" },
	{ UBLK_F_QUIESCE, "QUIESCE" },
	{ UBLK_F_PER_IO_DAEMON, "PER_IO_DAEMON" },
	{ UBLK_F_BUF_REG_OFF_DAEMON, "BUF_REG_OFF_DAEMON" },
	{ UBLK_F_BATCH_IO, "BATCH_IO" },
	{ UBLK_F_INTEGRITY, "INTEGRITY" },
	{ UBLK_F_SAFE_STOP_DEV, "SAFE_STOP_DEV" },
	{ UBLK_F_NO_AUTO_PART_SCAN, "NO_AUTO_PART_SCAN" },
	{ UBLK_F_SHMEM_ZC, "SHMEM_ZC" },
	{ UBLK_F_IO_DESC_SIZE, "IO_DESC_SIZE" },
	{ UBLK_F_BPF, "BPF" },
};

#define NR_UBLK_FLAGS (sizeof(ublk_flags) / sizeof(ublk_flags[0]))

static void json_type(struct json *json, const char *key, int value)
{
	if (value < 0)
		json_null(json, key);
	else
		json_number(json, key, (__u64)value);
}

static void print_json(const struct kernel_features *features, const struct ublkpol_error *err)
{
	struct json json;
	size_t i;

	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_bool(&json, "usable", err->kind == UBLKPOL_ERR_NONE);
	if (err->kind != UBLKPOL_ERR_NONE)
		json_string(&json, "reason", err->text);
	json_bool(&json, "btf", !features->btf_error);
	json_type(&json, "BPF_PROG_TYPE_UBLK", features->prog_type);
	json_type(&json, "BPF_UBLK_ROUTE", features->attach_type);
	json_type(&json, "BPF_FUNC_ublk_queue_sqe", features->queue_sqe);
	json_bool(&json, "ublk", !features->ublk_error);
	json_begin_array(&json, "ublk_features");
	for (i = 0; i < NR_UBLK_FLAGS; i++) {
		if (features->ublk_flags & ublk_flags[i].flag)
			json_string(&json, NULL, ublk_flags[i].name);
	}
	json_end_array(&json);
	json_end_object(&json);
}

static void print_type(const char *name, int value)
{
	if (value < 0)
		printf("%-36s no\n", name);
	else
		printf("%-36s yes (%d)\n", name, value);
}

static void print_ublk(const struct kernel_features *features)
{
	size_t i;

	if (features->ublk_error) {
		printf("%-36s no (%s)\n", "ublk driver", strerror(-features->ublk_error));
		return;
	}
	printf("%-36s yes, features:", "ublk driver");
	for (i = 0; i < NR_UBLK_FLAGS; i++) {
		if (features->ublk_flags & ublk_flags[i].flag)
			printf(" %s", ublk_flags[i].name);
	}
	putchar('\n');
}

static void print_text(const struct kernel_features *features, const struct ublkpol_error *err)
{
	printf("%-36s %s\n", KERNEL_FEATURES_BTF, features->btf_error ? "no" : "yes");
	print_type("program type BPF_PROG_TYPE_UBLK", features->prog_type);
	print_type("attach type BPF_UBLK_ROUTE", features->attach_type);
	print_type("helper bpf_ublk_queue_sqe()", features->queue_sqe);
	print_ublk(features);
	printf("%-36s %s\n", "policy devices", err->kind == UBLKPOL_ERR_NONE ? "yes" : "no");
	if (err->kind != UBLKPOL_ERR_NONE)
		printf("\n%s\n", err->text);
}

static int run_features(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_LONG_OPTIONS, { 0 } };
	static const struct cli_syntax syntax = { .options = options };
	struct kernel_features features;
	struct ublkpol_error err = { 0 };
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, NULL, &exit_code))
		return exit_code;
	kernel_features_probe(&features);
	kernel_features_require(&features, &err);
	if (cli->json)
		print_json(&features, &err);
	else
		print_text(&features, &err);
	return (int)err.kind;
}

const struct command command_features = {
	.name = "features",
	.run = run_features,
	.summary = "can this kernel run policies, and if not, what is missing",
	.help = "usage: ublkpol features [-j]\n"
		"\n"
		"Shows what the running kernel offers for policies: the BPF program type, its\n"
		"attach type and helper (numbers are from the kernel's BTF), and the features of\n"
		"its ublk driver. Run it as root: the ublk driver answers nobody else.\n"
		"\n"
		"Exit code 0 if policy devices work here; 3 if the kernel lacks something, which\n"
		"the last line names; 1 without permission to ask.\n",
};
