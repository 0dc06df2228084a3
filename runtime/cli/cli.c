// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json.h"

static void print_lines(FILE *out, const char *text)
{
	char line[1024];
	size_t length;

	while (*text) {
		length = strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		cli_print_text(out, line);
		fputc('\n', out);
		text += length + (text[length] == '\n');
	}
}

static void print_error(const struct cli *cli, int exit_code, const char *text)
{
	const char *verb = cli->command ? cli->command->name : NULL;
	struct json json;

	if (!cli->json) {
		fprintf(stderr, "ublkpol%s%s: ", verb ? " " : "", verb ? verb : "");
		print_lines(stderr, text);
		return;
	}
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_string(&json, "error", text);
	json_number(&json, "exit_code", (__u64)exit_code);
	json_end_object(&json);
}

int cli_fail(const struct cli *cli, const struct ublkpol_error *err)
{
	int exit_code = err->kind == UBLKPOL_ERR_NONE ? UBLKPOL_ERR_FAILED : (int)err->kind;

	print_error(cli, exit_code, err->text);
	return exit_code;
}

int cli_usage(const struct cli *cli, const char *fmt, ...)
{
	char text[1024];
	va_list args;
	int used;

	va_start(args, fmt);
	used = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (used > 0 && (size_t)used < sizeof(text))
		snprintf(text + used, sizeof(text) - (size_t)used, "; see ublkpol help%s%s",
			 cli->command ? " " : "", cli->command ? cli->command->name : "");
	print_error(cli, UBLKPOL_ERR_USAGE, text);
	return UBLKPOL_ERR_USAGE;
}

static bool cli_common_option(struct cli *cli, int option, int *exit_code)
{
	switch (option) {
	case 'j':
		cli->json = true;
		return true;
	case 'v':
		cli->verbose = true;
		return true;
	case 'h':
		fputs(cli->command->help, stdout);
		*exit_code = 0;
		return false;
	default:
		*exit_code = UBLKPOL_ERR_USAGE;
		return false;
	}
}

/* @word: the last one that getopt_long() is done with; one of several letters is not */
static void cli_bad_option(const struct cli *cli, const char *word, const char *short_options)
{
	if (!optopt)
		cli_usage(cli, "unknown option %s", word);
	else if (strchr(short_options, optopt))
		cli_usage(cli, "%s: the option takes no value", word);
	else
		cli_usage(cli, "unknown option -%c", optopt);
}

static int cli_option(const struct cli *cli, int argc, char **argv, const char *short_options,
		      const struct option *long_options)
{
	int option;

	opterr = 0;
	option = getopt_long(argc, argv, short_options, long_options, NULL);
	if (option == ':')
		cli_usage(cli, "%s needs a value", argv[optind - 1]);
	else if (option == '?')
		cli_bad_option(cli, argv[optind - 1], short_options);
	return option;
}

/* As getopt() wants them: ":n:jvh" */
static void cli_short_options(const struct option *options, char *text)
{
	*text++ = ':';
	for (; options->name; options++) {
		*text++ = (char)options->val;
		if (options->has_arg == required_argument)
			*text++ = ':';
	}
	*text = '\0';
}

bool cli_parse(struct cli *cli, int argc, char **argv, const struct cli_syntax *syntax, void *arg,
	       int *exit_code)
{
	char short_options[64];
	int option;

	cli_short_options(syntax->options, short_options);
	while ((option = cli_option(cli, argc, argv, short_options, syntax->options)) != -1) {
		if (strchr("jvh:?", option)) {
			if (!cli_common_option(cli, option, exit_code))
				return false;
			continue;
		}
		*exit_code = syntax->take(cli, option, arg);
		if (*exit_code)
			return false;
	}
	if (argc - optind <= syntax->max_operands)
		return true;
	*exit_code =
		cli_usage(cli, "unexpected argument '%s'", argv[optind + syntax->max_operands]);
	return false;
}

void cli_report(void *arg, enum ublkpol_report_level level, const char *text)
{
	const struct cli *cli = arg;

	if (level == UBLKPOL_REPORT_DETAIL && !cli->verbose)
		return;
	fputs(level == UBLKPOL_REPORT_WARNING ? "ublkpol: warning: " : "ublkpol: ", stderr);
	cli_print_text(stderr, text);
	fputc('\n', stderr);
}

int cli_parse_number(const char *text, int min, int max, int *value)
{
	char *end;
	long number;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	number = strtol(text, &end, 10);
	if (errno || *end || number < min || number > max)
		return -EINVAL;
	*value = (int)number;
	return 0;
}

int cli_parse_binding(const struct cli *cli, char *text, struct ublkpol_binding *bindings,
		      size_t *count)
{
	char *path = strchr(text, '=');
	size_t i;

	if (!path || path == text || !path[1])
		return cli_usage(cli, "'%s' is not NAME=PATH", text);
	*path++ = '\0';
	for (i = 0; i < *count; i++) {
		if (!strcmp(bindings[i].name, text))
			return cli_usage(cli, "backend %s is given twice", text);
	}
	bindings[*count] = (struct ublkpol_binding){ .name = text, .path = path };
	(*count)++;
	return 0;
}

void cli_print_id(const struct cli *cli, int id)
{
	struct json json;

	if (!cli->json)
		return;
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_number(&json, "id", (__u64)id);
	json_end_object(&json);
}

int cli_parse_id(const struct cli *cli, const char *text, int *id)
{
	if (cli_parse_number(text, 0, CLI_MAX_DEVICE_ID, id))
		return cli_usage(cli, "'%s' is no device number", text);
	return 0;
}

int cli_take_id(const struct cli *cli, int option, void *id)
{
	(void)option;
	return cli_parse_id(cli, optarg, id);
}

const struct ublkpol_info *cli_find_device(const struct ublkpol_info *list, size_t count, int id,
					   struct ublkpol_error *err)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (list[i].id == id)
			return &list[i];
	}
	err->kind = UBLKPOL_ERR_NO_DEVICE;
	snprintf(err->text, sizeof(err->text), "there is no policy device %d", id);
	return NULL;
}

const char *cli_status_name(const struct ublkpol_info *info)
{
	switch (info->status) {
	case UBLKPOL_LIVE:
		return info->daemon_alive ? "live" : "dying";
	case UBLKPOL_STARTING:
		return "starting";
	case UBLKPOL_WAITING:
		return "waiting";
	case UBLKPOL_FAILING:
		return "failing";
	case UBLKPOL_DEAD:
		return "dead";
	case UBLKPOL_STALE:
		return "stale";
	}
	return "?";
}

const char *cli_op_name(enum ublkpol_op op)
{
	static const char *const names[UBLKPOL_NR_OPS] = {
		[UBLKPOL_READ] = "read",
		[UBLKPOL_WRITE] = "write",
		[UBLKPOL_FLUSH] = "flush",
		[UBLKPOL_DISCARD] = "discard",
		[UBLKPOL_WRITE_ZEROES] = "write_zeroes",
	};

	return names[op];
}

const char *cli_recovery_name(enum ublkpol_recovery recovery)
{
	static const char *const names[] = {
		[UBLKPOL_RECOVERY_NONE] = "none",
		[UBLKPOL_RECOVERY_WAIT] = "wait",
		[UBLKPOL_RECOVERY_REISSUE] = "reissue",
		[UBLKPOL_RECOVERY_FAIL] = "fail",
	};

	return names[recovery];
}

void cli_print_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

const char *cli_format_bytes(char buffer[32], __u64 bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, 32, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return buffer;
}
