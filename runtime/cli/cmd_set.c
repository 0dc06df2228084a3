// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"

#define MAX_VALUE_SIZE (1UL << 28)

/* Return: the whole text, to be freed, or NULL with errno set */
static char *read_all(FILE *file)
{
	char *text = NULL;
	size_t size = 0;
	ssize_t length = getdelim(&text, &size, '\0', file);

	if (length < 0 && feof(file)) {
		free(text);
		return strdup("");
	}
	if (length >= 0 && feof(file) && (size_t)length <= MAX_VALUE_SIZE)
		return text;
	/* A NUL, or without end */
	if (length >= 0)
		errno = EINVAL;
	free(text);
	return NULL;
}

static char *read_file(const char *path)
{
	FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
	char *text;

	if (!file)
		return NULL;
	/* A second value from there would be empty, which is a valid set */
	if (file == stdin && feof(stdin)) {
		errno = ENODATA;
		return NULL;
	}
	text = read_all(file);
	if (file != stdin)
		fclose(file);
	return text;
}

/* NAME=VALUE or NAME=@FILE; names have no '=' */
static int parse_value(const struct cli *cli, char *text, struct ublkpol_value *value)
{
	char *equals = strchr(text, '='), *content;

	if (!equals || equals == text)
		return cli_usage(cli, "'%s' is not NAME=VALUE", text);
	*equals++ = '\0';
	content = *equals == '@' ? read_file(equals + 1) : strdup(equals);
	if (!content) {
		struct ublkpol_error err = { .kind = UBLKPOL_ERR_INPUT };

		snprintf(err.text, sizeof(err.text), "cannot read the value of %s from %s: %s",
			 text, equals + 1, strerror(errno));
		return cli_fail(cli, &err);
	}
	value->name = text;
	value->text = content;
	return 0;
}

static int set_values(const struct cli *cli, int id, const struct ublkpol_value *values,
		      size_t count)
{
	const struct ublkpol_swap_options options = {
		.values = values,
		.nr_values = count,
		.report = cli_report,
		.report_arg = (void *)cli,
	};
	struct ublkpol_error err = { 0 };
	struct json json;
	size_t i;

	if (ublkpol_swap(id, &options, &err))
		return cli_fail(cli, &err);
	if (!cli->json)
		return 0;
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_number(&json, "id", (__u64)id);
	json_begin_array(&json, "set");
	for (i = 0; i < count; i++)
		json_string(&json, NULL, values[i].name);
	json_end_array(&json);
	json_end_object(&json);
	return 0;
}

static int parse_and_set(const struct cli *cli, int id, char **texts, int count)
{
	struct ublkpol_value *values = calloc((size_t)count, sizeof(*values));
	int i, exit_code = 0;

	if (!values)
		return UBLKPOL_ERR_FAILED;
	for (i = 0; i < count && !exit_code; i++)
		exit_code = parse_value(cli, texts[i], &values[i]);
	if (!exit_code)
		exit_code = set_values(cli, id, values, (size_t)count);
	for (i = 0; i < count; i++)
		free((char *)values[i].text);
	free(values);
	return exit_code;
}

static int run_set(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options,
						  .take = cli_take_id,
						  .max_operands = INT_MAX };
	int exit_code, id = -1;

	if (!cli_parse(cli, argc, argv, &syntax, &id, &exit_code))
		return exit_code;
	if (id < 0)
		return cli_usage(cli, "which device? give -n ID");
	if (optind == argc)
		return cli_usage(cli, "set what? give NAME=VALUE");
	return parse_and_set(cli, id, argv + optind, argc - optind);
}

const struct command command_set = {
	.name = "set",
	.run = run_set,
	.summary = "change parameters and sets of a live device's policy",
	.help = "usage: ublkpol set -n ID NAME=VALUE... [-j] [-v]\n"
		"\n"
		"Sets parameters (\"param\") and sets of ranges (\"set\") of the policy, written "
		"as\n"
		"in the policy language. NAME=@FILE takes the value from a file, NAME=@- from\n"
		"standard input. All changes of one command take effect at once: each request "
		"sees\n"
		"all old or all new values. Counters go on.\n"
		"\n"
		"  ublkpol set -n 0 threshold=64KiB hot=@ranges.txt\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n",
};
