// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "cli.h"
#include "json.h"

static void print_json(const struct ublkpol_info *list, size_t count)
{
	struct json json;
	char node[32];
	unsigned int b;
	size_t i;

	json_init(&json, stdout);
	json_begin_array(&json, NULL);
	for (i = 0; i < count; i++) {
		const struct ublkpol_info *info = &list[i];

		snprintf(node, sizeof(node), UBLKPOL_NODE, info->id);
		json_begin_object(&json, NULL);
		json_number(&json, "id", (__u64)info->id);
		json_string(&json, "node", node);
		json_string(&json, "state", cli_status_name(info));
		json_number(&json, "size", info->sectors << 9);
		json_number(&json, "block_size", info->block_size);
		json_number(&json, "queues", info->queues);
		json_number(&json, "depth", info->depth);
		json_number(&json, "pid", (__u64)info->pid);
		json_bool(&json, "daemon_alive", info->daemon_alive);
		json_string(&json, "recovery", cli_recovery_name(info->recovery));
		json_number(&json, "generation", info->generation);
		json_string(&json, "policy", info->policy);
		json_begin_array(&json, "backends");
		for (b = 0; b < info->nr_backends; b++) {
			json_begin_object(&json, NULL);
			json_string(&json, "name", info->backends[b].name);
			json_string(&json, "path", info->backends[b].path);
			json_end_object(&json);
		}
		json_end_array(&json);
		json_end_object(&json);
	}
	json_end_array(&json);
}

static void print_text(const struct ublkpol_info *list, size_t count)
{
	char node[32], size[32], pid[32];
	unsigned int b;
	size_t i;

	if (!count)
		return;
	printf("%-14s %-9s %10s %6s %6s %8s  %s\n", "DEVICE", "STATE", "SIZE", "QUEUES", "DEPTH",
	       "PID", "POLICY");
	for (i = 0; i < count; i++) {
		const struct ublkpol_info *info = &list[i];

		snprintf(node, sizeof(node), UBLKPOL_NODE, info->id);
		snprintf(pid, sizeof(pid), info->daemon_alive ? "%d" : "(%d)", (int)info->pid);
		printf("%-14s %-9s %10s %6u %6u %8s  ", node, cli_status_name(info),
		       cli_format_bytes(size, info->sectors << 9), info->queues, info->depth, pid);
		cli_print_text(stdout, *info->policy ? info->policy : "(unknown)");
		putchar('\n');
		for (b = 0; b < info->nr_backends; b++) {
			printf("    ");
			cli_print_text(stdout, info->backends[b].name);
			printf(" = ");
			cli_print_text(stdout, info->backends[b].path);
			putchar('\n');
		}
	}
}

static int run_list(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { CLI_LONG_OPTIONS, { 0 } };
	static const struct cli_syntax syntax = { .options = options };
	struct ublkpol_error err = { 0 };
	struct ublkpol_info *list;
	int exit_code;
	size_t count;

	if (!cli_parse(cli, argc, argv, &syntax, NULL, &exit_code))
		return exit_code;
	if (ublkpol_list(&list, &count, &err))
		return cli_fail(cli, &err);
	if (cli->json)
		print_json(list, count);
	else
		print_text(list, count);
	ublkpol_list_free(list, count);
	return 0;
}

const struct command command_list = {
	.name = "list",
	.run = run_list,
	.summary = "all policy devices, their policies and backends",
	.help = "usage: ublkpol list [-j]\n"
		"\n"
		"Lists the policy devices of this machine by number; devices of other ublk\n"
		"servers are not shown. The process id is in parentheses if that daemon is gone.\n"
		"\n"
		"states:\n"
		"  live      takes I/O\n"
		"  starting  its daemon is setting it up or taking it down\n"
		"  dying     its daemon is gone, the kernel is ending its requests\n"
		"  waiting   its daemon is gone, requests wait; recover or delete it\n"
		"  failing   its daemon is gone, requests fail; recover or delete it\n"
		"  dead      its daemon is gone, I/O fails; delete it\n"
		"  stale     only files under " UBLKPOL_STATE_DIR " are left; delete it\n",
};
