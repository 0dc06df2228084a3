// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "serve.h"

struct recover {
	const struct cli *cli;
	int id;
};

static int start(const struct serve *serve, struct ublkpol_device **device,
		 struct ublkpol_error *err)
{
	const struct recover *recover = serve->arg;
	const struct ublkpol_recover_options options = {
		.handler = serve->loaded,
		.report = cli_report,
		.report_arg = (void *)recover->cli,
	};

	return ublkpol_device_recover(device, recover->id, &options, err);
}

/* With the handler that it had, unless there is another one */
static int recover_one(const struct cli *cli, const struct ublkpol_info *info,
		       const struct serve *wanted)
{
	struct recover recover = { .cli = cli, .id = info->id };
	struct serve serve = *wanted;

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

static int recover_wanted(const struct cli *cli, int id, bool all, const struct serve *serve)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_info *list;
	int one, exit_code = 0;
	size_t count, i;

	if (ublkpol_list(&list, &count, &err))
		return cli_fail(cli, &err);
	if (!all && !cli_find_device(list, count, id, &err))
		exit_code = cli_fail(cli, &err);
	for (i = 0; i < count; i++) {
		if (all ? !is_recoverable(&list[i]) : list[i].id != id)
			continue;
		one = recover_one(cli, &list[i], serve);
		if (one)
			exit_code = one;
	}
	ublkpol_list_free(list, count);
	return exit_code;
}

struct wanted {
	struct serve serve;
	int id;
	bool all;
};

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct wanted *wanted = arg;

	switch (option) {
	case 'n':
		return cli_parse_id(cli, optarg, &wanted->id);
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

static int run_recover(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "handler", required_argument, NULL, 'H' },
		{ "handler-argument", required_argument, NULL, 'A' },
		{ "foreground", no_argument, NULL, 'f' },
		CLI_LONG_OPTIONS,
		{ 0 },
	};
	static const struct cli_syntax syntax = { .options = options, .take = take_option };
	struct wanted wanted = { .id = -1 };
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, &wanted, &exit_code))
		return exit_code;
	if (wanted.all == (wanted.id >= 0))
		return cli_usage(cli, "give either -n ID or -a");
	if (wanted.all && wanted.serve.foreground)
		return cli_usage(cli, "-f takes one device");
	return recover_wanted(cli, wanted.id, wanted.all, &wanted.serve);
}

const struct command command_recover = {
	.name = "recover",
	.run = run_recover,
	.summary = "a new daemon for a device whose daemon died",
	.help = "usage: ublkpol recover -n ID | -a [-H FILE.so [-A TEXT]] [-f] [-j] [-v]\n"
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
		"  -H, --handler FILE.so    another handler than the device had\n"
		"  -A, --handler-argument TEXT  for the handler\n"
		"  -f, --foreground         do not fork; the command ends with the device\n",
};
