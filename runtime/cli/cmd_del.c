// SPDX-License-Identifier: GPL-2.0-only
#include "cli.h"

static int delete_one(const struct cli *cli, int id, bool force)
{
	struct ublkpol_error err = { 0 };

	if (ublkpol_delete(id, force, &err))
		return cli_fail(cli, &err);
	return 0;
}

/*
 * One that cannot be deleted does not keep the others. The highest number goes
 * first: it may have a lower one as its backend.
 */
static int delete_all(const struct cli *cli, bool force)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_info *list;
	int ret, exit_code = 0;
	size_t count, i;

	if (ublkpol_list(&list, &count, &err))
		return cli_fail(cli, &err);
	for (i = count; i-- > 0;) {
		err = (struct ublkpol_error){ 0 };
		ret = ublkpol_delete(list[i].id, force, &err);
		/* Somebody else was faster */
		if (ret && err.kind != UBLKPOL_ERR_NO_DEVICE)
			exit_code = cli_fail(cli, &err);
	}
	ublkpol_list_free(list, count);
	return exit_code;
}

static int run_del(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "id", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "force", no_argument, NULL, 'f' },
		CLI_LONG_OPTIONS,
		{ 0 },
	};
	int option, exit_code, id = -1;
	bool all = false, force = false;

	while ((option = cli_option(cli, argc, argv, ":n:af" CLI_SHORT_OPTIONS, options)) != -1) {
		if (option == 'n') {
			if (cli_parse_number(optarg, 0, CLI_MAX_DEVICE_ID, &id))
				return cli_usage(cli, "'%s' is no device number", optarg);
		} else if (option == 'a') {
			all = true;
		} else if (option == 'f') {
			force = true;
		} else if (!cli_common_option(cli, option, &exit_code)) {
			return exit_code;
		}
	}
	if (optind < argc)
		return cli_usage(cli, "unexpected argument '%s'", argv[optind]);
	if (all == (id >= 0))
		return cli_usage(cli, "give either -n ID or -a");
	return all ? delete_all(cli, force) : delete_one(cli, id, force);
}

const struct command command_del = {
	.name = "del",
	.run = run_del,
	.summary = "stop and delete a policy device, or all",
	.help = "usage: ublkpol del -n ID | -a [-f]\n"
		"\n"
		"Stops a device and deletes it, also when its daemon was killed. Refused are a\n"
		"device in use (mounted, open, or backend of another device) and devices of other\n"
		"ublk servers.\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n"
		"  -a, --all      every policy device of this machine\n"
		"  -f, --force    also devices in use: requests in flight end, later ones fail\n"
		"                 with EIO, which can damage a mounted file system\n",
};
