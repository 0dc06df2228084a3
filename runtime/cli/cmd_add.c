// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/signalfd.h>

#include "cli.h"
#include "daemon.h"
#include "json.h"

struct add {
	struct ublkpol_add_options options;
	struct ublkpol_binding *bindings;
	bool foreground;
};

/* Cuts NAME=PATH in two; the name has no '=', the path may */
static int parse_binding(const struct cli *cli, char *text, struct add *add)
{
	struct ublkpol_binding *binding = &add->bindings[add->options.nr_bindings];
	char *path = strchr(text, '=');
	size_t i;

	if (!path || path == text || !path[1])
		return cli_usage(cli, "'%s' is not NAME=PATH", text);
	*path++ = '\0';
	for (i = 0; i < add->options.nr_bindings; i++) {
		if (!strcmp(add->bindings[i].name, text))
			return cli_usage(cli, "backend %s is given twice", text);
	}
	binding->name = text;
	binding->path = path;
	add->options.nr_bindings++;
	return 0;
}

static int parse_unsigned(const struct cli *cli, const char *what, int max, unsigned int *value)
{
	int number;

	if (cli_parse_number(optarg, 1, max, &number))
		return cli_usage(cli, "%s must be 1 to %d, not '%s'", what, max, optarg);
	*value = (unsigned int)number;
	return 0;
}

static int parse_option(const struct cli *cli, int option, struct add *add)
{
	switch (option) {
	case 'b':
		return parse_binding(cli, optarg, add);
	case 'n':
		if (cli_parse_number(optarg, 0, CLI_MAX_DEVICE_ID, &add->options.id))
			return cli_usage(cli, "'%s' is no device number", optarg);
		return 0;
	case 'q':
		return parse_unsigned(cli, "queues", UBLKPOL_MAX_QUEUES, &add->options.queues);
	case 'd':
		return parse_unsigned(cli, "depth", UBLKPOL_MAX_DEPTH, &add->options.depth);
	default:
		add->foreground = true;
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
		{ "foreground", no_argument, NULL, 'f' },
		CLI_LONG_OPTIONS,
		{ 0 },
	};
	int option;

	while ((option = cli_option(cli, argc, argv, ":b:n:q:d:f" CLI_SHORT_OPTIONS, options)) !=
	       -1) {
		if (!strchr("bnqdf", option)) {
			if (!cli_common_option(cli, option, exit_code))
				return false;
			continue;
		}
		*exit_code = parse_option(cli, option, add);
		if (*exit_code)
			return false;
	}
	if (optind == argc)
		*exit_code = cli_usage(cli, "which policy? give a FILE.bpf.o made by ublkpolc");
	else if (optind + 1 < argc)
		*exit_code = cli_usage(cli, "unexpected argument '%s'", argv[optind + 1]);
	else
		add->options.policy = argv[optind];
	return !*exit_code;
}

/* The signals that end the device are blocked, and read from the descriptor */
static int open_ending_signals(void)
{
	sigset_t ending;

	/* Whoever reads our output may go before us */
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, NULL);
	return signalfd(-1, &ending, SFD_CLOEXEC);
}

static void print_device(const struct cli *cli, int id)
{
	char node[32];
	struct json json;

	snprintf(node, sizeof(node), UBLKPOL_NODE, id);
	if (!cli->json) {
		puts(node);
		return;
	}
	json_init(&json, stdout);
	json_begin_object(&json, NULL);
	json_number(&json, "id", (__u64)id);
	json_string(&json, "node", node);
	json_end_object(&json);
}

/* In the process that owns the device, until the device is gone */
static int serve(struct cli *cli, const struct add *add, int ready_fd)
{
	struct ublkpol_error err = { 0 };
	struct ublkpol_device *device;
	int signal_fd;

	signal_fd = open_ending_signals();
	if (signal_fd < 0) {
		snprintf(err.text, sizeof(err.text), "cannot wait for signals: %s",
			 strerror(errno));
		return cli_fail(cli, &err);
	}
	if (ublkpol_device_add(&device, &add->options, &err))
		return cli_fail(cli, &err);

	print_device(cli, ublkpol_device_id(device));
	fflush(stdout);
	if (ready_fd >= 0)
		daemon_ready(ready_fd);
	ublkpol_device_wait(device, signal_fd);
	ublkpol_device_remove(device);
	return 0;
}

static int start(struct cli *cli, const struct add *add)
{
	struct ublkpol_error err = { 0 };
	int ready_fd, exit_code = 0;

	if (add->foreground)
		return serve(cli, add, -1);

	ready_fd = daemon_start(&exit_code);
	if (ready_fd < 0) {
		snprintf(err.text, sizeof(err.text), "cannot start the daemon: %s",
			 strerror(-ready_fd));
		return cli_fail(cli, &err);
	}
	return ready_fd ? serve(cli, add, ready_fd) : exit_code;
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
	};
	int exit_code = 0;

	add.bindings = calloc((size_t)argc, sizeof(*add.bindings));
	if (!add.bindings)
		return UBLKPOL_ERR_FAILED;
	add.options.bindings = add.bindings;
	if (parse_arguments(cli, argc, argv, &add, &exit_code))
		exit_code = start(cli, &add);
	free(add.bindings);
	return exit_code;
}

const struct command command_add = {
	.name = "add",
	.run = run_add,
	.summary = "make a block device from a compiled policy",
	.help = "usage: ublkpol add POLICY.bpf.o [-b NAME=PATH]... [-n ID] [-q QUEUES] [-d DEPTH]\n"
		"                   [-f] [-j] [-v]\n"
		"\n"
		"Loads the policy, opens its backends and starts the device. When the command\n"
		"returns, the device takes I/O; its name is printed. A daemon stays behind, which\n"
		"owns the device but serves no request: the kernel does. SIGTERM to the daemon\n"
		"deletes the device, as ublkpol del does. If anything fails, nothing is left.\n"
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
		"  -f, --foreground         do not fork; the command ends with the device\n",
};
