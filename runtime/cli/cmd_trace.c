// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "cli.h"
#include "json.h"

/* How soon a swap of the policy, or the end of the device, is seen */
#define TRACE_POLL_MS 500

struct trace {
	const struct cli *cli;
	int left; /* entries to show, or -1: all */
	bool was_open; /* so the device was there */
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static void print_json(const struct ublkpol_trace_entry *entry)
{
	struct json json;

	/* An object a line: a stream has no end */
	json_init(&json, stdout);
	json.one_line = true;
	json_begin_object(&json, NULL);
	json_number(&json, "time", entry->time);
	json_string(&json, "op", cli_op_name(entry->op));
	json_number(&json, "offset", entry->offset);
	json_number(&json, "length", entry->length);
	json_number(&json, "flags", entry->flags);
	json_number(&json, "queue", entry->queue);
	json_number(&json, "ioprio", entry->ioprio);
	json_number(&json, "line", entry->line);
	json_string(&json, "label", entry->label);
	json_string(&json, "rule", entry->rule);
	json_end_object(&json);
}

static void print_text(const struct ublkpol_trace_entry *entry)
{
	printf("%llu.%06llu %-12s %12llu +%-8llu queue %u  line %u: ",
	       (unsigned long long)entry->time / 1000000000,
	       (unsigned long long)entry->time % 1000000000 / 1000, cli_op_name(entry->op),
	       (unsigned long long)entry->offset, (unsigned long long)entry->length, entry->queue,
	       entry->line);
	cli_print_text(stdout, entry->rule);
	putchar('\n');
}

static void show_entry(void *arg, const struct ublkpol_trace_entry *entry)
{
	struct trace *trace = arg;

	if (!trace->left)
		return;
	if (trace->left > 0)
		trace->left--;
	if (trace->cli->json)
		print_json(entry);
	else
		print_text(entry);
}

/* Return: 0 with @info, to be freed as a list of one, or a negative errno */
static int find_device(int id, struct ublkpol_info **list, size_t *count,
		       const struct ublkpol_info **info, struct ublkpol_error *err)
{
	int ret = ublkpol_list(list, count, err);

	if (ret)
		return ret;
	*info = cli_find_device(*list, *count, id, err);
	if (*info)
		return 0;
	ublkpol_list_free(*list, *count);
	return -ENODEV;
}

/* Until another generation routes the device; the caller opens that one then */
static int follow_generation(struct trace *trace, int id, unsigned int generation,
			     struct ublkpol_trace_reader *reader, struct ublkpol_error *err)
{
	const struct ublkpol_info *info;
	struct ublkpol_info *list;
	bool same = true;
	size_t count;
	int ret;

	while (same && trace->left && !interrupted) {
		ret = ublkpol_trace_poll(reader, TRACE_POLL_MS);
		fflush(stdout);
		if (ret < 0) {
			snprintf(err->text, sizeof(err->text), "cannot read the trace: %s",
				 strerror(-ret));
			return ret;
		}
		if (ret > 0)
			continue;
		ret = find_device(id, &list, &count, &info, err);
		if (ret)
			return ret;
		same = info->generation == generation;
		ublkpol_list_free(list, count);
	}
	return 0;
}

static int follow(struct trace *trace, int id, struct ublkpol_error *err)
{
	struct ublkpol_trace_reader *reader;
	const struct ublkpol_info *info;
	struct ublkpol_info *list;
	unsigned int generation;
	size_t count;
	int ret;

	ret = find_device(id, &list, &count, &info, err);
	if (ret)
		return ret;
	generation = info->generation;
	ret = ublkpol_trace_open(&reader, info, show_entry, trace, err);
	ublkpol_list_free(list, count);
	if (ret)
		return ret;
	trace->was_open = true;
	ret = follow_generation(trace, id, generation, reader, err);
	ublkpol_trace_close(reader);
	return ret;
}

static int run_until_end(const struct cli *cli, int id, int left)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct trace trace = { .cli = cli, .left = left };
	struct ublkpol_error err;
	int ret;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (trace.left && !interrupted) {
		err = (struct ublkpol_error){ 0 };
		ret = follow(&trace, id, &err);
		if (ret == -ENODEV && trace.was_open)
			return 0;
		if (ret && ret != -ESTALE)
			return cli_fail(cli, &err);
	}
	return 0;
}

struct wanted {
	int id;
	int left;
};

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct wanted *wanted = arg;

	if (option == 'n')
		return cli_parse_id(cli, optarg, &wanted->id);
	if (cli_parse_number(optarg, 1, INT_MAX, &wanted->left))
		return cli_usage(cli, "'%s' is no count", optarg);
	return 0;
}

static int run_trace(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 { "count", required_argument, NULL, 'c' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options, .take = take_option };
	struct wanted wanted = { .id = -1, .left = -1 };
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, &wanted, &exit_code))
		return exit_code;
	if (wanted.id < 0)
		return cli_usage(cli, "which device? give -n ID");
	return run_until_end(cli, wanted.id, wanted.left);
}

const struct command command_trace = {
	.name = "trace",
	.run = run_trace,
	.summary = "follow the requests of rules with \"trace\"",
	.help = "usage: ublkpol trace -n ID [-c COUNT] [-j]\n"
		"\n"
		"Prints a line for each request that a rule with the modifier \"trace\" serves, "
		"as\n"
		"it happens, until it is interrupted or the device is deleted. After a swap it\n"
		"goes on with the new policy. When requests come faster than they are read, some\n"
		"are left out. Times are seconds of the monotonic clock. With --json, each line "
		"is\n"
		"an object.\n"
		"\n"
		"options:\n"
		"  -n, --id ID          device number, the N of /dev/ublkbN\n"
		"  -c, --count COUNT    end after COUNT requests\n",
};
