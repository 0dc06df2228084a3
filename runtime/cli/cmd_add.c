// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "serve.h"

struct add {
	struct ublkpol_add_options options;
	struct ublkpol_binding *bindings;
	struct serve serve;
};

static int parse_unsigned(const struct cli *cli, const char *what, int max, unsigned int *value)
{
	int number;

	if (cli_parse_number(optarg, 1, max, &number))
		return cli_usage(cli, "%s must be 1 to %d, not '%s'", what, max, optarg);
	*value = (unsigned int)number;
	return 0;
}

static int parse_recovery(const struct cli *cli, enum ublkpol_recovery *recovery)
{
	int i;

	for (i = UBLKPOL_RECOVERY_NONE; i <= UBLKPOL_RECOVERY_FAIL; i++) {
		if (!strcmp(optarg, cli_recovery_name((enum ublkpol_recovery)i))) {
			*recovery = (enum ublkpol_recovery)i;
			return 0;
		}
	}
	return cli_usage(cli, "recovery must be none, wait, reissue or fail, not '%s'", optarg);
}

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct add *add = arg;

	switch (option) {
	case 'b':
		return cli_parse_binding(cli, optarg, add->bindings, &add->options.nr_bindings);
	case 'n':
		return cli_parse_id(cli, optarg, &add->options.id);
	case 'q':
		return parse_unsigned(cli, "queues", UBLKPOL_MAX_QUEUES, &add->options.queues);
	case 'd':
		return parse_unsigned(cli, "depth", UBLKPOL_MAX_DEPTH, &add->options.depth);
	case 'r':
		return parse_recovery(cli, &add->options.recovery);
	case 'D':
		add->options.no_discard = true;
		return 0;
	case 'H':
		add->serve.handler = optarg;
		return 0;
	case 'A':
		add->serve.handler_argument = optarg;
		return 0;
	default:
		add->serve.foreground = true;
		return 0;
	}
}

/* Return: true if the command goes on */
static bool parse_arguments(struct cli *cli, int argc, char **argv, struct add *add, int *exit_code)
{
	static const struct option options[] = {
		{ "backend", required_argument, NULL, 'b' },
		{ "id", required_argument, NULL, 'n' },
		{ "queues", required_argument, NULL, 'q' },
		{ "depth", required_argument, NULL, 'd' },
		{ "recovery", required_argument, NULL, 'r' },
		{ "no-discard", no_argument, NULL, 'D' },
		{ "handler", required_argument, NULL, 'H' },
		{ "handler-argument", required_argument, NULL, 'A' },
		{ "foreground", no_argument, NULL, 'f' },
		CLI_LONG_OPTIONS,
		{ 0 },
	};
	static const struct cli_syntax syntax = { .options = options,
						  .take = take_option,
						  .max_operands = 1 };

	if (!cli_parse(cli, argc, argv, &syntax, add, exit_code))
		return false;
	if (optind == argc)
		*exit_code = cli_usage(cli, "which policy? give a FILE.bpf.o made by ublkpolc");
	else if (add->serve.handler_argument && !add->serve.handler)
		*exit_code = cli_usage(cli, "an argument for the handler, but no handler");
	else
		add->options.policy = argv[optind];
	return !*exit_code;
}

static int start(const struct serve *serve, struct ublkpol_device **device,
		 struct ublkpol_error *err)
{
	struct add *add = serve->arg;

	add->options.handler = serve->loaded;
	return ublkpol_device_add(device, &add->options, err);
}

static int run_add(struct cli *cli, int argc, char **argv)
{
	struct add add = {
		.options = {
			.id = -1,
			.queues = UBLKPOL_DEFAULT_QUEUES,
			.depth = UBLKPOL_DEFAULT_DEPTH,
			.report = cli_report,
			.report_arg = cli,
		},
		.serve = { .start = start, .arg = &add },
	};
	int exit_code = 0;

	add.bindings = calloc((size_t)argc, sizeof(*add.bindings));
	if (!add.bindings)
		return UBLKPOL_ERR_FAILED;
	add.options.bindings = add.bindings;
	if (parse_arguments(cli, argc, argv, &add, &exit_code))
		exit_code = serve_run(cli, &add.serve);
	free(add.bindings);
	return exit_code;
}

const struct command command_add = {
	.name = "add",
	.run = run_add,
	.summary = "make a block device from a compiled policy",
	.help = "usage: ublkpol add POLICY.bpf.o [-b NAME=PATH]... [-n ID] [-q QUEUES] [-d DEPTH]\n"
		"                   [-r MODE] [-D] [-H FILE.so [-A TEXT]] [-f] [-j] [-v]\n"
		"\n"
		"Loads the policy, opens its backends and starts the device. When the command\n"
		"returns, the device takes I/O; its name is printed. A daemon stays behind, which\n"
		"owns the device but serves no request: the kernel does. SIGTERM to the daemon\n"
		"deletes the device unless it is in use, as ublkpol del does. If anything fails,\n"
		"nothing is left.\n"
		"\n"
		"Backends are regular files or block devices that nothing else uses: block\n"
		"devices are claimed exclusively, files are locked. Direct I/O is used where the\n"
		"file system has it.\n"
		"\n"
		"options:\n"
		"  -b, --backend NAME=PATH  file or block device of a backend; needed for each\n"
		"                           backend that has no default path in the policy\n"
		"  -n, --id ID              device number, for /dev/ublkbID (default: first free)\n"
		"  -q, --queues QUEUES      hardware queues, each with a thread (default 1)\n"
		"  -d, --depth DEPTH        requests in flight per queue (default 128, up to "
		"4096)\n"
		"  -r, --recovery MODE      what becomes of the device if its daemon is killed:\n"
		"                           none     it fails all requests; delete it (default)\n"
		"                           wait     requests in flight fail, later ones wait for\n"
		"                                    ublkpol recover\n"
		"                           reissue  all requests wait; those in flight are "
		"issued\n"
		"                                    again\n"
		"                           fail     requests fail until ublkpol recover\n"
		"  -D, --no-discard         offer neither discards nor write-zeroes: later "
		"policies\n"
		"                           may then have backends that cannot do them\n"
		"  -H, --handler FILE.so    code for requests that the policy gives to the user;\n"
		"                           without it they fail; see libublkpol.h\n"
		"  -A, --handler-argument TEXT  for the handler\n"
		"  -f, --foreground         do not fork; the command ends with the device\n"
		"\n" CLI_MISSING_HELP,
};
