// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>

#include "cli.h"

static const struct command *const commands[] = {
	&command_add,	  &command_list, &command_show,	    &command_stats,
	&command_trace,	  &command_swap, &command_set,	    &command_insync,
	&command_recover, &command_del,	 &command_features,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find_command(const char *name)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}

static void print_overview(FILE *out)
{
	size_t i;

	fputs("ublkpol: block devices whose requests a policy routes inside the kernel\n\n"
	      "usage: ublkpol VERB [OPTION...]\n\n",
	      out);
	for (i = 0; i < NR_COMMANDS; i++)
		fprintf(out, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fputs("  help       what a verb does, its options and output: ublkpol help VERB\n\n"
	      "options of every verb:\n"
	      "  -j, --json      JSON to standard output, errors too\n"
	      "  -v, --verbose   say what is done, and libbpf's messages\n"
	      "  -h, --help      same as ublkpol help VERB\n\n"
	      "exit codes:\n"
	      "  0  done\n"
	      "  1  an operation failed\n"
	      "  2  the command line is wrong\n"
	      "  3  the kernel lacks something that policies need (ublkpol features)\n"
	      "  4  the policy or a backend cannot be used\n"
	      "  5  there is no such policy device\n",
	      out);
}

static int run_help(struct cli *cli, int argc, char **argv)
{
	const struct command *command;

	if (argc < 2 || !strcmp(argv[1], "help")) {
		print_overview(stdout);
		return 0;
	}
	command = find_command(argv[1]);
	if (!command)
		return cli_usage(cli, "there is no verb '%s'", argv[1]);
	fputs(command->help, stdout);
	return 0;
}

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, fmt, args);
}

static int libbpf_silent(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static bool has_option(int argc, char **argv, const char *short_name, const char *long_name)
{
	int i;

	for (i = 1; i < argc; i++) {
		if (!strcmp(argv[i], short_name) || !strcmp(argv[i], long_name))
			return true;
	}
	return false;
}

/* What is printed must not go to a backend that got the number of a closed stream */
static void open_standard_streams(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *command;
	struct cli cli = { 0 };

	open_standard_streams();

	/* Known before the options are parsed, as errors in them are JSON too */
	cli.json = has_option(argc, argv, "-j", "--json");
	cli.verbose = has_option(argc, argv, "-v", "--verbose");
	libbpf_set_print(cli.verbose ? libbpf_print : libbpf_silent);

	/* Common options may stand before the verb */
	while (argc > 1 && (!strcmp(argv[1], "-j") || !strcmp(argv[1], "--json") ||
			    !strcmp(argv[1], "-v") || !strcmp(argv[1], "--verbose"))) {
		argc--;
		argv++;
	}
	if (argc < 2) {
		print_overview(stderr);
		return UBLKPOL_ERR_USAGE;
	}
	argc--;
	argv++;
	if (!strcmp(argv[0], "help") || !strcmp(argv[0], "-h") || !strcmp(argv[0], "--help"))
		return run_help(&cli, argc, argv);

	command = find_command(argv[0]);
	if (!command)
		return cli_usage(&cli, "there is no verb '%s'", argv[0]);
	cli.command = command;
	return command->run(&cli, argc, argv);
}
