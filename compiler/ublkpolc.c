// SPDX-License-Identifier: GPL-2.0-only
/* ublkpolc: from a policy to a BPF object */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_check.h"
#include "exit_code.h"
#include "image.h"
#include "layout.h"
#include "output.h"
#include "parse.h"

#define UBLKPOLC_VERSION "0.1"

struct options {
	const char *input;
	const char *output; /* NULL: beside the input */
	bool only_c;
	bool only_check;
	__u64 size; /* bytes, or 0 */
};

static const char usage_text[] =
	"Usage: ublkpolc [options] FILE.ublkpol\n"
	"Compiles a policy into a BPF object, FILE.bpf.o, for 'ublkpol add'.\n"
	"\n"
	"  -o FILE        write FILE instead; with -S, '-' is standard output\n"
	"  -S             write the program as C, FILE.bpf.c, and stop there\n"
	"  --check        only look for errors, write nothing\n"
	"  --size SIZE    check the policy for a device of this size too, such as 10GiB\n"
	"  -h, --help     show this\n"
	"  --version      show the version\n"
	"\n"
	"Exit codes: 0 done, 1 the policy has errors, 2 wrong command line, 3 files or\n"
	"clang failed. The clang is $UBLKPOLC_CLANG or the newest one in $PATH.\n";

static int usage_error(const char *what, const char *word)
{
	fprintf(stderr, "ublkpolc: %s%s%s; see 'ublkpolc --help'\n", what, word ? " " : "",
		word ? word : "");
	return EXIT_CODE_USAGE;
}

/* "10GiB"; whole sectors */
static bool parse_size(const char *text, __u64 *bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	char *unit;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*bytes = strtoull(text, &unit, 10);
	if (errno)
		return false;
	if (!*unit)
		return !__builtin_mul_overflow(*bytes, 512, bytes) && *bytes;
	for (int i = 0; i < 5; i++) {
		if (!strcmp(unit, units[i]))
			return !__builtin_mul_overflow(*bytes, 1ULL << 10 * i, bytes) && *bytes &&
			       *bytes % 512 == 0;
	}
	return false;
}

enum { OPTION_CHECK = 256, OPTION_SIZE, OPTION_VERSION };

static const struct option long_options[] = {
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

/* Returns -1 to go on, or the code to exit with */
static int parse_options(struct options *options, int argc, char *argv[])
{
	int option;

	while ((option = getopt_long(argc, argv, "o:Sh", long_options, NULL)) >= 0) {
		switch (option) {
		case 'o':
			options->output = optarg;
			break;
		case 'S':
			options->only_c = true;
			break;
		case OPTION_CHECK:
			options->only_check = true;
			break;
		case OPTION_SIZE:
			if (!parse_size(optarg, &options->size))
				return usage_error("this is no size:", optarg);
			break;
		case 'h':
			fputs(usage_text, stdout);
			return EXIT_CODE_OK;
		case OPTION_VERSION:
			puts("ublkpolc " UBLKPOLC_VERSION);
			return EXIT_CODE_OK;
		default:
			return usage_error("wrong option", NULL);
		}
	}
	if (optind == argc)
		return usage_error("which policy?", NULL);
	if (optind + 1 < argc)
		return usage_error("one policy at a time, not also", argv[optind + 1]);
	options->input = argv[optind];
	return -1;
}

/* FILE.ublkpol becomes FILE.bpf.o or FILE.bpf.c */
static const char *default_output(struct arena *arena, const struct options *options)
{
	static const char suffix[] = ".ublkpol";
	size_t length = strlen(options->input);

	if (length > strlen(suffix) && !strcmp(options->input + length - strlen(suffix), suffix))
		length -= strlen(suffix);
	return arena_printf(arena, "%.*s.bpf.%c", (int)length, options->input,
			    options->only_c ? 'c' : 'o');
}

static int compile(const struct options *options, struct arena *arena)
{
	struct ast_policy policy = { 0 };
	struct policy_image image;
	struct source source;
	struct diag diag = { .arena = arena, .source = &source };
	const char *output;
	int err;

	err = source_read(&source, arena, options->input);
	if (err) {
		fprintf(stderr, "ublkpolc: cannot read %s: %s\n", options->input,
			err == -EINVAL ? "it is no text" : strerror(-err));
		return EXIT_CODE_SYSTEM;
	}

	parse_policy(&policy, &source, arena, &diag);
	check_policy(&policy, arena, &diag);
	if (!diag.nr_errors) {
		image_build(&image, &policy, &source, arena);
		layout_check(&image, &policy, options->size, &diag);
	}
	diag_print(&diag, stderr);
	if (diag.nr_errors)
		return EXIT_CODE_POLICY;
	if (options->only_check)
		return EXIT_CODE_OK;

	output = options->output ? options->output : default_output(arena, options);
	err = options->only_c ? output_write_c(&image, &source, output)
			      : output_write_object(&image, &source, output);
	return err ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int main(int argc, char *argv[])
{
	struct options options = { 0 };
	struct arena arena = { 0 };
	int code;

	code = parse_options(&options, argc, argv);
	if (code < 0)
		code = compile(&options, &arena);
	arena_free(&arena);
	return code;
}
