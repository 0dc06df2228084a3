/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_CLI_H
#define CLI_CLI_H

/*
 * What the verbs of the ublkpol command share. A verb gets its own argv (the
 * verb is argv[0]) and returns the exit code, see enum ublkpol_error_kind.
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "libublkpol.h"

#define CLI_MAX_DEVICE_ID ((1 << 20) - 1) /* of the ublk driver */

struct command;

/* The verb and the options of every verb */
struct cli {
	const struct command *command; /* NULL before the verb is known */
	bool json;
	bool verbose;
};

#define CLI_LONG_OPTIONS                                                           \
	{ "json", no_argument, NULL, 'j' }, { "verbose", no_argument, NULL, 'v' }, \
	{                                                                          \
		"help", no_argument, NULL, 'h'                                     \
	}

/* Of the verbs with -b NAME=PATH */
#define CLI_MISSING_HELP                                                               \
	"-b NAME=missing: there is no such disk at the moment. That can be a leg of\n" \
	"mirrors whose other legs stand in for it; they take it for failed.\n"

struct command {
	const char *name;
	int (*run)(struct cli *cli, int argc, char **argv);
	const char *summary; /* one line */
	const char *help; /* the whole text of "ublkpol help NAME" */
};

extern const struct command command_add;
extern const struct command command_list;
extern const struct command command_show;
extern const struct command command_stats;
extern const struct command command_trace;
extern const struct command command_swap;
extern const struct command command_set;
extern const struct command command_insync;
extern const struct command command_recover;
extern const struct command command_del;
extern const struct command command_features;

/* What a verb takes */
struct cli_syntax {
	const struct option *options; /* with CLI_LONG_OPTIONS, ended by zeroes */
	/* Gets each option of the verb's own; returns 0 or the exit code */
	int (*take)(const struct cli *cli, int option, void *arg);
	int max_operands;
};

/** cli_print_id() - with --json, the result of a verb that has changed device @id */
void cli_print_id(const struct cli *cli, int id);

/**
 * cli_parse() - the options of a verb; what is wrong is explained
 * @arg: for @syntax->take()
 * @exit_code: set if the command ends here
 *
 * The values of the long options are the short ones.
 * Return: true if the verb goes on, with its operands from argv[optind]
 */
bool cli_parse(struct cli *cli, int argc, char **argv, const struct cli_syntax *syntax, void *arg,
	       int *exit_code);

/** cli_take_id() - for verbs whose only option is -n ID; @id: an int */
int cli_take_id(const struct cli *cli, int option, void *id);

/** cli_fail() - print a failure (as JSON with --json), return its exit code */
int cli_fail(const struct cli *cli, const struct ublkpol_error *err);

/** cli_usage() - print what is wrong with the command line, return the exit code */
int cli_usage(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** cli_report() - a ublkpol_report_fn; @arg is the struct cli */
void cli_report(void *arg, enum ublkpol_report_level level, const char *text);

/**
 * cli_parse_number() - a decimal number of the command line
 * @min, @max: allowed range
 *
 * Return: 0 or -EINVAL
 */
int cli_parse_number(const char *text, int min, int max, int *value);

/**
 * cli_parse_binding() - cut NAME=PATH in two
 * @text: the name has no '=', the path may; is changed
 * @bindings: gets another entry, *@count counts it; names must differ
 *
 * Return: 0 or the exit code
 */
int cli_parse_binding(const struct cli *cli, char *text, struct ublkpol_binding *bindings,
		      size_t *count);

/** cli_parse_id() - a device number of the command line; returns 0 or the exit code */
int cli_parse_id(const struct cli *cli, const char *text, int *id);

/**
 * cli_find_device() - one of a list
 * @list, @count: from ublkpol_list()
 *
 * Return: an entry of @list, or NULL with @err
 */
const struct ublkpol_info *cli_find_device(const struct ublkpol_info *list, size_t count, int id,
					   struct ublkpol_error *err);

/** cli_status_name() - state of a device in a word */
const char *cli_status_name(const struct ublkpol_info *info);

/** cli_op_name() - of an operation, as JSON has it */
const char *cli_op_name(enum ublkpol_op op);

/** cli_recovery_name() - as ublkpol add --recovery takes it */
const char *cli_recovery_name(enum ublkpol_recovery recovery);

/** cli_print_text() - print untrusted text: control characters as \xNN */
void cli_print_text(FILE *out, const char *text);

/** cli_format_bytes() - bytes for people, as in "1.5 GiB"; returns @buffer */
const char *cli_format_bytes(char buffer[32], __u64 bytes);

#endif
