// SPDX-License-Identifier: GPL-2.0-only
#include <limits.h>

#include "cli.h"

static int run_insync(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = { { "id", required_argument, NULL, 'n' },
						 CLI_LONG_OPTIONS,
						 { 0 } };
	static const struct cli_syntax syntax = { .options = options,
						  .take = cli_take_id,
						  .max_operands = INT_MAX };
	struct ublkpol_error err = { 0 };
	int exit_code, id = -1;

	if (!cli_parse(cli, argc, argv, &syntax, &id, &exit_code))
		return exit_code;
	if (id < 0)
		return cli_usage(cli, "which device? give -n ID");
	if (optind == argc)
		return cli_usage(cli, "which backends are copies? give their names");
	if (ublkpol_insync(id, (const char *const *)argv + optind, (size_t)(argc - optind), &err))
		return cli_fail(cli, &err);
	cli_print_id(cli, id);
	return 0;
}

const struct command command_insync = {
	.name = "insync",
	.run = run_insync,
	.summary = "a leg of a mirror is a copy of the others now",
	.help = "usage: ublkpol insync -n ID NAME... [-j] [-v]\n"
		"\n"
		"A backend that a swap makes a leg of a mirror, beside others that the device had\n"
		"before, is written, but not read: it holds only what was written since. This\n"
		"says that the rest of it has been copied, and lets it be read. Until then it is\n"
		"no help when the other legs fail.\n"
		"\n"
		"  ublkpol insync -n 0 new\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n",
};
