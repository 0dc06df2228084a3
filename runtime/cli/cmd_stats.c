// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"
#include "mirror_text.h"

#define ALL_DEVICES (-1)

/* --- JSON --- */

static void json_counters(struct json *json, const struct ublkpol_counters *counters)
{
	int op;

	for (op = 0; op < UBLKPOL_NR_OPS; op++) {
		json_begin_object(json, cli_op_name((enum ublkpol_op)op));
		json_number(json, "requests", counters->requests[op]);
		json_number(json, "bytes", counters->bytes[op]);
		json_end_object(json);
	}
}

static void json_rules(struct json *json, const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_array(json, "rules");
	for (i = 0; i < stats->nr_rules; i++) {
		const struct ublkpol_rule_stats *rule = &stats->rules[i];

		json_begin_object(json, NULL);
		json_number(json, "line", rule->line);
		json_string(json, "source", rule->source);
		json_string(json, "label", rule->label);
		json_string(json, "counter", rule->counter);
		json_string(json, "text", rule->text);
		json_counters(json, &rule->counters);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_backends(struct json *json, const struct ublkpol_info *info,
			  const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_array(json, "backends");
	for (i = 0; i < stats->nr_backends; i++) {
		json_begin_object(json, NULL);
		json_string(json, "name", info->backends[i].name);
		json_string(json, "path", info->backends[i].path);
		json_counters(json, &stats->backends[i]);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_queues(struct json *json, const struct ublkpol_stats *stats)
{
	unsigned int i;

	json_begin_array(json, "queues");
	for (i = 0; i < stats->nr_queues; i++) {
		json_begin_object(json, NULL);
		json_number(json, "tid", (__u64)stats->queues[i].tid);
		json_number(json, "user_returns", stats->queues[i].user_returns);
		json_number(json, "redirected", stats->queues[i].redirected);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_device(struct json *json, const struct ublkpol_info *info,
			const struct ublkpol_stats *stats)
{
	json_begin_object(json, NULL);
	json_number(json, "id", (__u64)info->id);
	json_string(json, "policy", info->policy);
	json_string(json, "source", stats->source);
	json_rules(json, stats);
	json_begin_object(json, "unmatched");
	json_counters(json, &stats->unmatched);
	json_end_object(json);
	json_backends(json, info, stats);
	cli_json_mirrors(json, info, stats);
	json_queues(json, stats);
	json_end_object(json);
}

/* --- text --- */

static bool op_is_shown(const struct ublkpol_stats *stats, int op)
{
	unsigned int i;

	if (op == UBLKPOL_READ || op == UBLKPOL_WRITE || op == UBLKPOL_FLUSH)
		return true;
	if (stats->unmatched.requests[op])
		return true;
	for (i = 0; i < stats->nr_rules; i++) {
		if (stats->rules[i].counters.requests[op])
			return true;
	}
	return false;
}

static void print_head(const struct ublkpol_stats *stats)
{
	int op;

	for (op = 0; op < UBLKPOL_NR_OPS; op++) {
		if (!op_is_shown(stats, op))
			continue;
		printf(op == UBLKPOL_FLUSH ? "%9s" : "%9s %10s", cli_op_name((enum ublkpol_op)op),
		       "bytes");
		fputs("  ", stdout);
	}
}

static void print_counters(const struct ublkpol_stats *stats,
			   const struct ublkpol_counters *counters)
{
	char bytes[32];
	int op;

	for (op = 0; op < UBLKPOL_NR_OPS; op++) {
		if (!op_is_shown(stats, op))
			continue;
		printf("%9llu", (unsigned long long)counters->requests[op]);
		if (op != UBLKPOL_FLUSH)
			printf(" %10s", cli_format_bytes(bytes, counters->bytes[op]));
		fputs("  ", stdout);
	}
}

static void print_rules(const struct ublkpol_stats *stats)
{
	unsigned int i;

	print_head(stats);
	puts("rule");
	for (i = 0; i < stats->nr_rules; i++) {
		print_counters(stats, &stats->rules[i].counters);
		cli_print_text(stdout, stats->source);
		printf(":%u: ", stats->rules[i].line);
		cli_print_text(stdout, stats->rules[i].text);
		putchar('\n');
	}
	print_counters(stats, &stats->unmatched);
	puts("(no rule matched)");
}

static void print_backends(const struct ublkpol_info *info, const struct ublkpol_stats *stats)
{
	unsigned int i;

	print_head(stats);
	puts("backend");
	for (i = 0; i < stats->nr_backends; i++) {
		print_counters(stats, &stats->backends[i]);
		cli_print_text(stdout, info->backends[i].name);
		fputs(" = ", stdout);
		cli_print_text(stdout, info->backends[i].path);
		putchar('\n');
	}
}

static void print_device(const struct ublkpol_info *info, const struct ublkpol_stats *stats)
{
	unsigned int i;

	printf(UBLKPOL_NODE ": ", info->id);
	cli_print_text(stdout, info->policy);
	putchar('\n');
	print_rules(stats);
	putchar('\n');
	print_backends(info, stats);
	putchar('\n');
	cli_print_mirrors(info, stats);
	for (i = 0; i < stats->nr_queues; i++)
		printf("queue %u: thread %d, returned to user mode %llu times, %llu requests "
		       "redirected\n",
		       i, (int)stats->queues[i].tid,
		       (unsigned long long)stats->queues[i].user_returns,
		       (unsigned long long)stats->queues[i].redirected);
}

/* --- command --- */

static bool is_wanted(const struct ublkpol_info *info, int id)
{
	return id == ALL_DEVICES ? info->status == UBLKPOL_LIVE : info->id == id;
}

/* All is read before anything is printed: JSON must not end half way */
static int read_wanted(const struct ublkpol_info *list, size_t count, int id,
		       struct ublkpol_stats *stats, struct ublkpol_error *err)
{
	size_t i;
	int ret;

	if (id != ALL_DEVICES && !cli_find_device(list, count, id, err))
		return -ENODEV;
	for (i = 0; i < count; i++) {
		if (!is_wanted(&list[i], id))
			continue;
		ret = ublkpol_stats_read(&list[i], &stats[i], err);
		if (ret)
			return ret;
	}
	return 0;
}

static void print_wanted(const struct cli *cli, const struct ublkpol_info *list, size_t count,
			 int id, const struct ublkpol_stats *stats)
{
	bool first = true;
	struct json json;
	size_t i;

	json_init(&json, stdout);
	if (cli->json)
		json_begin_array(&json, NULL);
	for (i = 0; i < count; i++) {
		if (!is_wanted(&list[i], id))
			continue;
		if (cli->json) {
			json_device(&json, &list[i], &stats[i]);
			continue;
		}
		if (!first)
			putchar('\n');
		first = false;
		print_device(&list[i], &stats[i]);
	}
	if (cli->json)
		json_end_array(&json);
}

static int show(const struct cli *cli, int id, struct ublkpol_error *err)
{
	struct ublkpol_stats *stats = NULL;
	struct ublkpol_info *list;
	size_t count, i;
	int ret;

	ret = ublkpol_list(&list, &count, err);
	if (ret)
		return ret;
	stats = calloc(count + 1, sizeof(*stats));
	if (!stats) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		ret = -ENOMEM;
		goto out;
	}
	ret = read_wanted(list, count, id, stats, err);
	if (!ret)
		print_wanted(cli, list, count, id, stats);
	for (i = 0; i < count; i++)
		ublkpol_stats_free(&stats[i]);
out:
	free(stats);
	ublkpol_list_free(list, count);
	return ret;
}

static int run_stats(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options, .take = cli_take_id };
	int exit_code, id = ALL_DEVICES, ret;
	struct ublkpol_error err;

	if (!cli_parse(cli, argc, argv, &syntax, &id, &exit_code))
		return exit_code;
	do {
		err = (struct ublkpol_error){ 0 };
		ret = show(cli, id, &err);
	} while (ret == -ESTALE);
	return ret ? cli_fail(cli, &err) : 0;
}

const struct command command_stats = {
	.name = "stats",
	.run = run_stats,
	.summary = "requests and bytes per rule and per backend",
	.help = "usage: ublkpol stats [-n ID] [-j]\n"
		"\n"
		"Shows what one device, or every live device, has done since it was added: for\n"
		"each rule of the policy and for each backend, requests and bytes by operation.\n"
		"A request that is split over several rules or backends counts once in each.\n"
		"\"Returned to user mode\" stays constant while the policy serves all requests.\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n",
};
