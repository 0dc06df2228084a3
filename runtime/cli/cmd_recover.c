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
	bool found = false;
	size_t count, i;

	if (ublkpol_list(&list, &count, &err))
		return cli_fail(cli, &err);
	for (i = 0; i < count; i++) {
		if (all ? !is_recoverable(&list[i]) : list[i].id != id)
			continue;
		found = true;
		one = recover_one(cli, &list[i], serve);
		if (one)
			exit_code = one;
	}
	ublkpol_list_free(list, count);
	if (!found && !all) {
		err.kind = UBLKPOL_ERR_NO_DEVICE;
		snprintf(err.text, sizeof(err.text), "there is no policy device %d", id);
		return cli_fail(cli, &err);
	}
	return exit_code;
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
	struct serve serve = { 0 };
	int option, exit_code, id = -1;
	bool all = false;

	while ((option = cli_option(cli, argc, argv, ":n:afH:A:" CLI_SHORT_OPTIONS, options)) !=
	       -1) {
		switch (option) {
		case 'n':
			exit_code = cli_parse_id(cli, optarg, &id);
			if (exit_code)
				return exit_code;
			break;
		case 'a':
			all = true;
			break;
		case 'f':
			serve.foreground = true;
			break;
		case 'H':
			serve.handler = optarg;
			break;
		case 'A':
			serve.handler_argument = optarg;
			break;
		default:
			if (!cli_common_option(cli, option, &exit_code))
				return exit_code;
		}
	}
	if (optind < argc)
		return cli_usage(cli, "unexpected argument '%s'", argv[optind]);
	if (all == (id >= 0))
		return cli_usage(cli, "give either -n ID or -a");
	if (all && serve.foreground)
		return cli_usage(cli, "-f takes one device");
	return recover_wanted(cli, id, all, &serve);
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
