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

struct del {
	int id;
	bool all;
	bool force;
};

static int take_option(const struct cli *cli, int option, void *arg)
{
	struct del *del = arg;

	if (option == 'n')
		return cli_parse_id(cli, optarg, &del->id);
	if (option == 'a')
		del->all = true;
	else
		del->force = true;
	return 0;
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
	static const struct cli_syntax syntax = { .options = options, .take = take_option };
	struct del del = { .id = -1 };
	int exit_code;

	if (!cli_parse(cli, argc, argv, &syntax, &del, &exit_code))
		return exit_code;
	if (del.all == (del.id >= 0))
		return cli_usage(cli, "give either -n ID or -a");
	return del.all ? delete_all(cli, del.force) : delete_one(cli, del.id, del.force);
}

const struct command command_del = {
	.name = "del",
	.run = run_del,
	.summary = "stop and delete a policy device, or all",
	.help = "usage: ublkpol del -n ID | -a [-f]\n"
		"\n"
		"Stops a device and deletes it, also when its daemon was killed. Refused are a\n"
		"device in use (mounted, open, or backend of another device) and devices of other\n"
		"ublk servers. A swap of the device ends first.\n"
		"\n"
		"options:\n"
		"  -n, --id ID    device number, the N of /dev/ublkbN\n"
		"  -a, --all      every policy device of this machine\n"
		"  -f, --force    also devices in use: requests in flight end, later ones fail\n"
		"                 with EIO, which can damage a mounted file system\n",
};
