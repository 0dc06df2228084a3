// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "serve.h"

struct wanted {
	struct serve serve;
	struct ublkpol_binding *bindings;
	size_t nr_bindings;
	int id;
	bool all;
};

struct recover {
	const struct cli *cli;
	const struct wanted *wanted;
	int id;
};

static int start(const struct serve *serve, struct ublkpol_device **device,
		 struct ublkpol_error *err)
{
	const struct recover *recover = serve->arg;
	const struct ublkpol_recover_options options = {
		.bindings = recover->wanted->bindings,
		.nr_bindings = recover->wanted->nr_bindings,
		.handler = serve->loaded,
		.report = cli_report,
		.report_arg = (void *)recover->cli,
	};

	return ublkpol_device_recover(device, recover->id, &options, err);
}

/* With the handler that it had, unless there is another one */
static int recover_one(const struct cli *cli, const struct ublkpol_info *info,
		       const struct wanted *wanted)
{
	struct recover recover = { .cli = cli, .wanted = wanted, .id = info->id };
	struct serve serve = wanted->serve;

	serve.start = start;
	serve.arg = &recover;
	if (!serve.handler && *info->handler) {
		serve.handler = info->handler;
		if (!serve.handler_argument)
			serve.handler_argument = info->handler_argument;
	}
	return serve_run(cli, &serve);
}

static bool is_recoverable(const struct ublkpol_info *info)
{
	return info->recovery != UBLKPOL_RECOVERY_NONE && !info->daemon_alive &&
	       info->status != UBLKPOL_DEAD && info->status != UBLKPOL_STALE;
}

static int recover_wanted(const struct cli *cli, const struct wanted *wanted)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_info *list;
	int one, exit_code = 0;
	size_t count, i;

	if (ublkpol_list(&list, &count, &err))
		return cli_fail(cli, &err);
	if (!wanted->all && !cli_find_device(list, count, wanted->id, &err))
		exit_code = cli_fail(cli, &err);
	for (i = 0; i < count; i++) {
		if (wanted->all ? !is_recoverable(&list[i]) : list[i].id != wanted->id)
			continue;
		one = recover_one(cli, &list[i], wanted);
		if (one)
			exit_code = one;
	}
	ublkpol_list_free(list, count);
	return exit_code;
}

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct wanted *wanted = arg;

	switch (option) {
	case 'n':
		return cli_parse_id(cli, optarg, &wanted->id);
	case 'b':
		return cli_parse_binding(cli, optarg, wanted->bindings, &wanted->nr_bindings);
	case 'a':
		wanted->all = true;
		return 0;
	case 'H':
		wanted->serve.handler = optarg;
		return 0;
	case 'A':
		wanted->serve.handler_argument = optarg;
		return 0;
	default:
		wanted->serve.foreground = true;
		return 0;
	}
}

static int parse_and_recover(struct cli *cli, int argc, char **argv,
			     struct ublkpol_binding *bindings)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "backend", required_argument, NULL, 'b' },
		{ "handler", required_argument, NULL, 'H' },
		{ "handler-argument", required_argument, NULL, 'A' },
		{ "foreground", no_argument, NULL, 'f' },
		CLI_LONG_OPTIONS,
		{ 0 },
	};
	static const struct cli_syntax syntax = { .options = options, .take = take_option };
	struct wanted wanted = { .bindings = bindings, .id = -1 };
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, &wanted, &exit_code))
		return exit_code;
	if (wanted.all == (wanted.id >= 0))
		return cli_usage(cli, "give either -n ID or -a");
	if (wanted.all && wanted.serve.foreground)
		return cli_usage(cli, "-f takes one device");
	if (wanted.all && wanted.nr_bindings)
		return cli_usage(cli, "-b takes one device");
	return recover_wanted(cli, &wanted);
}

static int run_recover(struct cli *cli, int argc, char **argv)
{
	struct ublkpol_binding *bindings = calloc((size_t)argc, sizeof(*bindings));
	int exit_code;

	if (!bindings)
		return UBLKPOL_ERR_FAILED;
	exit_code = parse_and_recover(cli, argc, argv, bindings);
	free(bindings);
	return exit_code;
}

const struct command command_recover = {
	.name = "recover",
	.run = run_recover,
	.summary = "a new daemon for a device whose daemon died",
	.help = "usage: ublkpol recover -n ID [-b NAME=PATH]... [-H FILE.so [-A TEXT]] [-f] [-j]\n"
		"                       [-v]\n"
		"       ublkpol recover -a [-H FILE.so [-A TEXT]] [-j] [-v]\n"
		"\n"
		"For devices that were added with --recovery and whose daemon was killed: opens\n"
		"the backends again, loads the policy that routed the device last, with its\n"
		"parameters, and lets the requests that wait go on. Counters, and what is known "
		"of\n"
		"the legs of a mirror, are as they were. If anything fails, the device is as it\n"
		"was before.\n"
		"\n"
		"options:\n"
		"  -n, --id ID              device number, the N of /dev/ublkbN\n"
		"  -a, --all                every device that can be recovered\n"
		"  -b, --backend NAME=PATH  where a backend is now, or 'missing'\n"
		"  -H, --handler FILE.so    another handler than the device had\n"
		"  -A, --handler-argument TEXT  for the handler\n"
		"  -f, --foreground         do not fork; the command ends with the device\n"
		"\n" CLI_MISSING_HELP
		"A leg that they have failed already, and that is gone, is taken for missing. One\n"
		"that gets another file is written, and read after ublkpol insync.\n",
};
