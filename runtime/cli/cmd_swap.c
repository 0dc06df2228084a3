// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>

#include "cli.h"

static int swap_policy(const struct cli *cli, int id, const struct ublkpol_swap_options *options)
{
	struct ublkpol_error err = { 0 };

	if (ublkpol_swap(id, options, &err))
		return cli_fail(cli, &err);
	cli_print_id(cli, id);
	return 0;
}

struct swap {
	struct ublkpol_swap_options options;
	struct ublkpol_binding *bindings;
	int id;
};

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct swap *swap = arg;

	if (option == 'n')
		return cli_parse_id(cli, optarg, &swap->id);
	return cli_parse_binding(cli, optarg, swap->bindings, &swap->options.nr_bindings);
}

static int parse_and_swap(struct cli *cli, int argc, char **argv, struct ublkpol_binding *bindings)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 { "backend", required_argument, NULL, 'b' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options,
						  .take = take_option,
						  .max_operands = 1 };
	struct swap swap = {
		.options = { .bindings = bindings, .report = cli_report, .report_arg = cli },
		.bindings = bindings,
		.id = -1,
	};
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, &swap, &exit_code))
		return exit_code;
	if (swap.id < 0)
		return cli_usage(cli, "which device? give -n ID");
	if (optind == argc)
		return cli_usage(cli, "which policy? give a FILE.bpf.o made by ublkpolc");
	swap.options.policy = argv[optind];
	return swap_policy(cli, swap.id, &swap.options);
}

static int run_swap(struct cli *cli, int argc, char **argv)
{
	struct ublkpol_binding *bindings = calloc((size_t)argc, sizeof(*bindings));
	int exit_code;

	if (!bindings)
		return UBLKPOL_ERR_FAILED;
	exit_code = parse_and_swap(cli, argc, argv, bindings);
	free(bindings);
	return exit_code;
}

const struct command command_swap = {
	.name = "swap",
	.run = run_swap,
	.summary = "another policy for a live device",
	.help = "usage: ublkpol swap -n ID POLICY.bpf.o [-b NAME=PATH]... [-j] [-v]\n"
		"\n"
		"Replaces the policy of a device that is in use. Each request is served by the "
		"old\n"
		"policy or by the new one as a whole; none fails or waits for the daemon. When "
		"the\n"
		"command returns, the last request of the old policy has ended, and what it wrote\n"
		"is flushed on backends that the new policy does not have.\n"
		"\n"
		"A backend that has the same name now keeps its file unless -b gives it another.\n"
		"A leg that is new in a mirror is written, and read after ublkpol insync.\n"
		"The size of the device, its block size and the operations that it takes cannot\n"
		"change: a policy that needs others is refused. A swap does not move data. The\n"
		"new policy starts with new counters.\n"
		"\n"
		"options:\n"
		"  -n, --id ID              device number, the N of /dev/ublkbN\n"
		"  -b, --backend NAME=PATH  file or block device of a backend, or 'missing'\n"
		"\n" CLI_MISSING_HELP,
};
