// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "mirror_text.h"

/* A value may be a set of 100,000 ranges: text output has only its beginning */
#define SHOWN_VALUE 60

/* All that is shown of a device */
struct device {
	const struct ublkpol_info *info;
	struct ublkpol_stats stats;
	struct ublkpol_param_info *params;
	size_t nr_params;
};

/* --- JSON --- */

static void json_limits(struct json *json, const struct ublkpol_info *info)
{
	json_begin_object(json, "limits");
	json_number(json, "max_request", info->max_request);
	json_number(json, "memory_align", info->memory_align);
	json_number(json, "max_discard", info->max_discard);
	json_number(json, "max_write_zeroes", info->max_write_zeroes);
	json_end_object(json);
}

static void json_policy(struct json *json, const struct ublkpol_info *info,
			const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_object(json, "policy");
	json_string(json, "object", info->policy);
	json_string(json, "source", stats->source);
	json_number(json, "generation", info->generation);
	json_number(json, "prog_id", info->prog_id);
	json_begin_array(json, "rules");
	for (i = 0; i < stats->nr_rules; i++) {
		json_begin_object(json, NULL);
		json_string(json, "source", stats->rules[i].source);
		json_number(json, "line", stats->rules[i].line);
		json_string(json, "label", stats->rules[i].label);
		json_string(json, "text", stats->rules[i].text);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void json_params(struct json *json, const struct device *device)
{
	size_t i;

	json_begin_array(json, "params");
	for (i = 0; i < device->nr_params; i++) {
		const struct ublkpol_param_info *param = &device->params[i];

		json_begin_object(json, NULL);
		json_string(json, "name", param->name);
		json_string(json, "kind", param->is_set ? "set" : "param");
		if (param->text)
			json_string(json, "value", param->text);
		else
			json_null(json, "value");
		if (param->is_set)
			json_number(json, "declared_ranges", param->ranges);
		json_bool(json, "changed", param->changed);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_backends(struct json *json, const struct ublkpol_info *info)
{
	unsigned int i;

	json_begin_array(json, "backends");
	for (i = 0; i < info->nr_backends; i++) {
		const struct ublkpol_backend_info *b = &info->backends[i];
		bool is_missing = !strcmp(b->path, UBLKPOL_MISSING);

		json_begin_object(json, NULL);
		json_string(json, "name", b->name);
		json_string(json, "path", b->path);
		json_bool(json, "missing", is_missing);
		json_bool(json, "block_device", !b->ino && !is_missing);
		json_bool(json, "discard", b->can & UBLKPOL_CAN_DISCARD);
		json_bool(json, "write_zeroes", b->can & UBLKPOL_CAN_WRITE_ZEROES);
		json_bool(json, "missed_writes", b->stale);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_daemon(struct json *json, const struct ublkpol_info *info,
			const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_object(json, "daemon");
	json_number(json, "pid", (__u64)info->pid);
	json_bool(json, "alive", info->daemon_alive);
	json_string(json, "recovery", cli_recovery_name(info->recovery));
	json_string(json, "handler", info->handler);
	json_string(json, "handler_argument", info->handler_argument);
	json_begin_array(json, "threads");
	for (i = 0; i < stats->nr_queues; i++)
		json_number(json, NULL, (__u64)stats->queues[i].tid);
	json_end_array(json);
	json_end_object(json);
}

static void print_json(const struct device *device)
{
	const struct ublkpol_info *info = device->info;
	struct json json;
	char node[32];

	snprintf(node, sizeof(node), UBLKPOL_NODE, info->id);
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_number(&json, "id", (__u64)info->id);
	json_string(&json, "node", node);
	json_string(&json, "state", cli_status_name(info));
	json_number(&json, "size", info->sectors << 9);
	json_number(&json, "block_size", info->block_size);
	json_number(&json, "queues", info->queues);
	json_number(&json, "depth", info->depth);
	json_limits(&json, info);
	json_policy(&json, info, &device->stats);
	json_params(&json, device);
	json_backends(&json, info);
	cli_json_mirrors(&json, info, &device->stats);
	json_daemon(&json, info, &device->stats);
	json_end_object(&json);
}

/* --- text --- */

static void print_line(const char *key, const char *value)
{
	printf("%-12s ", key);
	cli_print_text(stdout, value);
	putchar('\n');
}

static void print_bytes(const char *key, __u64 bytes)
{
	char size[32];

	if (bytes)
		printf("%-12s %s\n", key, cli_format_bytes(size, bytes));
	else
		printf("%-12s no\n", key);
}

static void print_head(const struct ublkpol_info *info)
{
	char node[32], size[32];

	snprintf(node, sizeof(node), UBLKPOL_NODE, info->id);
	print_line("device", node);
	print_line("state", cli_status_name(info));
	printf("%-12s %s (%llu bytes), blocks of %u bytes\n", "size",
	       cli_format_bytes(size, info->sectors << 9), (unsigned long long)info->sectors << 9,
	       info->block_size);
	printf("%-12s up to %s, buffers aligned to %u bytes\n", "requests",
	       cli_format_bytes(size, info->max_request), info->memory_align);
	print_bytes("discard", info->max_discard);
	print_bytes("write-zeroes", info->max_write_zeroes);
	printf("%-12s %u, %u requests in flight each\n", "queues", info->queues, info->depth);
}

static void print_daemon(const struct ublkpol_info *info, const struct ublkpol_stats *stats)
{
	unsigned int i;

	printf("%-12s process %d%s, threads", "daemon", (int)info->pid,
	       info->daemon_alive ? "" : " (gone)");
	for (i = 0; i < stats->nr_queues; i++)
		printf(" %d", (int)stats->queues[i].tid);
	putchar('\n');
	print_line("recovery", cli_recovery_name(info->recovery));
	if (*info->handler) {
		printf("%-12s ", "handler");
		cli_print_text(stdout, info->handler);
		putchar(*info->handler_argument ? ' ' : '\n');
		if (*info->handler_argument) {
			cli_print_text(stdout, info->handler_argument);
			putchar('\n');
		}
	}
}

static void print_param(const struct ublkpol_param_info *param)
{
	char shown[SHOWN_VALUE + 4];

	printf("    %s %s = ", param->is_set ? "set" : "param", param->name);
	if (param->text) {
		snprintf(shown, sizeof(shown), "%.*s%s", SHOWN_VALUE, param->text,
			 strlen(param->text) > SHOWN_VALUE ? "..." : "");
		cli_print_text(stdout, shown);
	} else {
		printf("%u ranges", param->ranges);
	}
	puts(param->changed ? " (changed)" : "");
}

static void print_policy(const struct device *device)
{
	const struct ublkpol_info *info = device->info;
	const struct ublkpol_stats *stats = &device->stats;
	unsigned int i;

	print_line("policy", info->policy);
	printf("%-12s %u, BPF program %u\n", "generation", info->generation, info->prog_id);
	for (i = 0; i < stats->nr_rules; i++) {
		printf("    ");
		cli_print_text(stdout, stats->rules[i].source);
		printf(":%u: ", stats->rules[i].line);
		cli_print_text(stdout, stats->rules[i].text);
		putchar('\n');
	}
	for (i = 0; i < device->nr_params; i++)
		print_param(&device->params[i]);
}

static void print_backends(const struct ublkpol_info *info)
{
	unsigned int i;

	puts("backends");
	for (i = 0; i < info->nr_backends; i++) {
		const struct ublkpol_backend_info *b = &info->backends[i];

		printf("    %s = ", b->name);
		cli_print_text(stdout, b->path);
		if (strcmp(b->path, UBLKPOL_MISSING))
			printf(" (%s%s%s%s)", b->ino ? "file" : "block device",
			       b->can & UBLKPOL_CAN_DISCARD ? ", discard" : "",
			       b->can & UBLKPOL_CAN_WRITE_ZEROES ? ", write-zeroes" : "",
			       b->stale ? ", has missed writes" : "");
		putchar('\n');
	}
}

static void print_text(const struct device *device)
{
	print_head(device->info);
	print_daemon(device->info, &device->stats);
	print_policy(device);
	print_backends(device->info);
	cli_print_mirrors(device->info, &device->stats);
}

/* --- command --- */

static int show(const struct cli *cli, const struct ublkpol_info *info, struct ublkpol_error *err)
{
	struct device device = { .info = info };
	int ret;

	ret = ublkpol_stats_read(info, &device.stats, err);
	if (!ret)
		ret = ublkpol_params_read(info, &device.params, &device.nr_params, err);
	if (!ret) {
		if (cli->json)
			print_json(&device);
		else
			print_text(&device);
	}
	ublkpol_params_free(device.params, device.nr_params);
	ublkpol_stats_free(&device.stats);
	return ret;
}

static int find_and_show(const struct cli *cli, int id, struct ublkpol_error *err)
{
	const struct ublkpol_info *info;
	struct ublkpol_info *list;
	size_t count;
	int ret;

	ret = ublkpol_list(&list, &count, err);
	if (ret)
		return ret;
	info = cli_find_device(list, count, id, err);
	ret = info ? show(cli, info, err) : -ENODEV;
	ublkpol_list_free(list, count);
	return ret;
}

static int run_show(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options, .take = cli_take_id };
	int exit_code, id = -1, ret;
	struct ublkpol_error err;

	if (!cli_parse(cli, argc, argv, &syntax, &id, &exit_code))
		return exit_code;
	if (id < 0)
		return cli_usage(cli, "which device? give -n ID");
	do {
		err = (struct ublkpol_error){ 0 };
		ret = find_and_show(cli, id, &err);
	} while (ret == -ESTALE);
	return ret ? cli_fail(cli, &err) : 0;
}

const struct command command_show = {
	.name = "show",
	.run = run_show,
	.summary = "everything about one device",
	.help = "usage: ublkpol show -n ID [-j]\n"
		"\n"
		"Shows what a device is: its state and limits, the rules of its policy and the\n"
		"parameters that were set, its backends, its daemon and the threads of its "
		"queues.\n"
		"What it has done is in ublkpol stats.\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n",
};
