// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checks.h"
#include "exit_code.h"
#include "names.h"
#include "options.h"
#include "range_text.h"

#define UBLKPOLC_VERSION "0.1"

static const char usage_text[] =
	"Usage: ublkpolc [options] FILE.ublkpol\n"

	"Compiles a policy into a BPF object, FILE.bpf.o, for 'ublkpol add'.\n"
	"\n"
	"What to make of the policy:\n"
	"  -S                   its program as C, FILE.bpf.c\n"
	"  --check              nothing: only look for errors\n"
	"  --fmt                the same policy in canonical form, on standard output\n"
	"  --explain[=svg]      a picture of the device and its routing table, as text or SVG,\n"
	"                       on standard output\n"
	"  --emit=WHAT          on standard output: ast, what the parser understood; plan, the\n"
	"                       routing table as lines; json, the same for programs\n"
	"  -D NAME=VALUE        with another value for 'param NAME'; may be repeated\n"
	"  -o FILE              write FILE instead; '-' is standard output\n"
	"\n"
	"What to check:\n"
	"  --size SIZE          check the policy for a device of this size too, such as 10GiB\n"
	"  --size NAME=SIZE     and for a backend of this size\n"
	"  -W NAME, -W no-NAME  switch a check on or off; '-W help' lists them\n"
	"  -W error=NAME        make what a check finds an error; no-error=NAME: a warning\n"
	"  -Werror              make all warnings errors\n"
	"\n"
	"How to say it:\n"
	"  --diagnostics=json   messages as JSON, for programs; 'text' is the default\n"
	"  --color=WHEN         always, never, or auto: on a terminal\n"
	"  -h, --help           show this\n"
	"  --version            show the version\n"
	"\n"
	"Exit codes: 0 done, 1 the policy has errors, 2 wrong command line, 3 files or\n"
	"clang failed. The clang is $UBLKPOLC_CLANG or the newest one in $PATH.\n";

static int usage_error(const char *what, const char *word)
{
	fprintf(stderr, "ublkpolc: %s%s%s; see 'ublkpolc --help'\n", what, word ? " " : "",
		word ? word : "");
	return EXIT_CODE_USAGE;
}

/* A word that is none of @known */
static int usage_unknown(const char *what, const char *word, const char *const *known, size_t count)
{
	const char *closest = names_closest(word, known, count);

	fprintf(stderr, "ublkpolc: unknown %s '%s'", what, word);
	if (closest)
		fprintf(stderr, "; did you mean '%s'?\n", closest);
	else
		fprintf(stderr, "; see 'ublkpolc --help'\n");
	return EXIT_CODE_USAGE;
}

/* "10GiB", as in a policy */
static int options_size(struct arena *arena, const char *text, __u64 *bytes)
{
	struct range_text_error error;

	if (!range_text_size(text, bytes, &error) && *bytes)
		return -1;
	return usage_error(arena_printf(arena, "'%s' is no size: %s", text,
					error.text ? error.text : "it is empty"),
			   NULL);
}

/* "SIZE" of the device, or "NAME=SIZE" of a backend */
static int options_set_size(struct options *options, struct arena *arena, const char *text)
{
	const char *equals = strchr(text, '=');
	struct options_size *size;

	if (!equals)
		return options_size(arena, text, &options->sizes.device);
	size = arena_alloc(arena, sizeof(*size));
	size->name = arena_strndup(arena, text, equals - text);
	size->next = options->sizes.backends;
	options->sizes.backends = size;
	return options_size(arena, equals + 1, &size->bytes);
}

const struct options_size *options_find_size(const struct options_sizes *sizes, const char *name)
{
	const struct options_size *size = sizes->backends;

	while (size && strcmp(size->name, name))
		size = size->next;
	return size;
}

/* --- checks --- */

/* What -W says; later words win */
struct options_checks {
	__u32 off;
	__u32 errors; /* -W error=NAME */
	__u32 warnings; /* -W no-error=NAME */
	bool all_errors;
};

static int options_list_checks(void)
{
	for (int i = 0; i < UBLKPOL_NR_CHECKS; i++)
		printf("%-18s %-8s %s\n", check_table[i].name,
		       check_table[i].is_error ? "error" : "warning", check_table[i].summary);
	return EXIT_CODE_OK;
}

static int options_unknown_check(const char *name)
{
	const char *names[UBLKPOL_NR_CHECKS];

	for (int i = 0; i < UBLKPOL_NR_CHECKS; i++)
		names[i] = check_table[i].name;
	return usage_unknown("check", name, names, UBLKPOL_NR_CHECKS);
}

static bool options_skip(const char **text, const char *prefix)
{
	if (strncmp(*text, prefix, strlen(prefix)))
		return false;
	*text += strlen(prefix);
	return true;
}

/* Returns -1 to go on, or the code to exit with */
static int options_check(struct options_checks *checks, const char *text)
{
	bool is_no, is_level;
	__u32 bit;

	if (!strcmp(text, "help"))
		return options_list_checks();
	if (!strcmp(text, "error") || !strcmp(text, "no-error")) {
		checks->all_errors = *text == 'e';
		return -1;
	}
	is_no = options_skip(&text, "no-");
	is_level = options_skip(&text, "error=");
	if (checks_find(text) == UBLKPOL_NR_CHECKS)
		return options_unknown_check(text);

	bit = 1U << checks_find(text);
	if (!is_level) {
		checks->off = is_no ? checks->off | bit : checks->off & ~bit;
		return -1;
	}
	checks->errors = is_no ? checks->errors & ~bit : checks->errors | bit;
	checks->warnings = is_no ? checks->warnings | bit : checks->warnings & ~bit;
	if (!is_no)
		checks->off &= ~bit;
	return -1;
}

static struct ublkpol_check_levels options_levels(const struct options_checks *checks)
{
	struct ublkpol_check_levels levels = checks_default();

	levels.off = checks->off;
	if (checks->all_errors)
		levels.errors = (1U << UBLKPOL_NR_CHECKS) - 1;
	levels.errors = (levels.errors | checks->errors) & ~checks->warnings;
	return levels;
}

/* --- choices --- */

static int options_choose(const char *option, const char *word, const char *const *known,
			  size_t count, unsigned int *chosen)
{
	for (*chosen = 0; *chosen < count; (*chosen)++) {
		if (!strcmp(word, known[*chosen]))
			return -1;
	}
	return usage_unknown(option, word, known, count);
}

static int options_diagnostics(struct options *options, const char *word)
{
	static const char *const known[] = { "text", "json" };
	unsigned int chosen;
	int code = options_choose("value of --diagnostics", word, known, 2, &chosen);

	options->has_json = chosen == 1;
	return code;
}

static bool options_is_color_terminal(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fd) && terminal && strcmp(terminal, "dumb");
}

static void options_set_color(struct options *options, bool is_on, bool is_auto)
{
	options->has_color = is_on || (is_auto && options_is_color_terminal(STDERR_FILENO));
	options->has_output_color = is_on;
	options->is_auto_color = is_auto;
}

static int options_color(struct options *options, const char *word)
{
	static const char *const known[] = { "never", "always", "auto" };
	unsigned int chosen;
	int code = options_choose("value of --color", word, known, 3, &chosen);

	if (code < 0)
		options_set_color(options, chosen == 1, chosen == 2);
	return code;
}

/* A run makes one thing */
static int options_mode(struct options *options, enum options_mode mode)
{
	if (options->mode != OPTIONS_OBJECT && options->mode != mode)
		return usage_error("one of -S, --check, --explain, --emit and --fmt at a time",
				   NULL);
	options->mode = mode;
	return -1;
}

static int options_emit(struct options *options, const char *word)
{
	static const char *const known[] = { "ast", "plan", "json" };
	static const enum options_mode modes[] = { OPTIONS_AST, OPTIONS_PLAN, OPTIONS_JSON };
	unsigned int chosen;
	int code = options_choose("value of --emit", word, known, 3, &chosen);

	return code < 0 ? options_mode(options, modes[chosen]) : code;
}

static int options_explain(struct options *options, const char *word)
{
	static const char *const known[] = { "text", "svg" };
	static const enum options_mode modes[] = { OPTIONS_EXPLAIN, OPTIONS_EXPLAIN_SVG };
	unsigned int chosen = 0;
	int code = word ? options_choose("value of --explain", word, known, 2, &chosen) : -1;

	return code < 0 ? options_mode(options, modes[chosen]) : code;
}

/* --- files --- */

/* FILE.ublkpol becomes FILE.bpf.o or FILE.bpf.c */
static const char *options_beside(struct arena *arena, const char *input, char letter)
{
	static const char suffix[] = ".ublkpol";
	size_t length = strlen(input);

	if (length > strlen(suffix) && !strcmp(input + length - strlen(suffix), suffix))
		length -= strlen(suffix);
	return arena_printf(arena, "%.*s.bpf.%c", (int)length, input, letter);
}

/* What goes to a file has no colour unless somebody asks for it */
static void options_set_output_color(struct options *options)
{
	if (options->is_auto_color && !strcmp(options->output, "-"))
		options->has_output_color = options_is_color_terminal(STDOUT_FILENO);
}

/* Only its canonical form may take the place of a policy */
bool options_would_overwrite(const struct options *options, const char *path)
{
	struct stat input, output;

	return options->mode != OPTIONS_FORMAT && options->mode != OPTIONS_CHECK &&
	       !stat(path, &input) && !stat(options->output, &output) && S_ISREG(input.st_mode) &&
	       input.st_dev == output.st_dev && input.st_ino == output.st_ino;
}

static int options_files(struct options *options, struct arena *arena, int argc, char *argv[])
{
	bool is_compiled = options->mode == OPTIONS_OBJECT || options->mode == OPTIONS_C;

	if (optind == argc)
		return usage_error("which policy?", NULL);
	if (optind + 1 < argc)
		return usage_error("one policy at a time, not also", argv[optind + 1]);
	options->input = argv[optind];
	if (options->output)
		return options_would_overwrite(options, options->input)
			       ? usage_error("-o would overwrite the policy", options->output)
			       : -1;
	if (!is_compiled)
		options->output = "-";
	else if (!strcmp(options->input, "-"))
		return usage_error("a policy from standard input needs -o FILE", NULL);
	else
		options->output = options_beside(arena, options->input,
						 options->mode == OPTIONS_C ? 'c' : 'o');
	return -1;
}

/* --- the whole line --- */

enum {
	OPTION_CHECK = 256,
	OPTION_COLOR,
	OPTION_DIAGNOSTICS,
	OPTION_EMIT,
	OPTION_EXPLAIN,
	OPTION_FORMAT,
	OPTION_SIZE,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "check", no_argument, NULL, OPTION_CHECK },
	{ "color", required_argument, NULL, OPTION_COLOR },
	{ "diagnostics", required_argument, NULL, OPTION_DIAGNOSTICS },
	{ "emit", required_argument, NULL, OPTION_EMIT },
	{ "explain", optional_argument, NULL, OPTION_EXPLAIN },
	{ "fmt", no_argument, NULL, OPTION_FORMAT },
	{ "size", required_argument, NULL, OPTION_SIZE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ 0 },
};

static void options_define(struct options *options, struct arena *arena, const char *text)
{
	struct options_define *define = arena_alloc(arena, sizeof(*define)), **end;

	define->text = text;
	for (end = &options->defines; *end; end = &(*end)->next)
		;
	*end = define;
}

static int options_one(struct options *options, struct options_checks *checks, struct arena *arena,
		       int option)
{
	switch (option) {
	case 'o':
		options->output = optarg;
		return -1;
	case 'D':
		options_define(options, arena, optarg);
		return -1;
	case 'S':
		return options_mode(options, OPTIONS_C);
	case 'W':
		return options_check(checks, optarg);
	case OPTION_CHECK:
		return options_mode(options, OPTIONS_CHECK);
	case OPTION_COLOR:
		return options_color(options, optarg);
	case OPTION_DIAGNOSTICS:
		return options_diagnostics(options, optarg);
	case OPTION_EMIT:
		return options_emit(options, optarg);
	case OPTION_EXPLAIN:
		return options_explain(options, optarg);
	case OPTION_FORMAT:
		return options_mode(options, OPTIONS_FORMAT);
	case OPTION_SIZE:
		return options_set_size(options, arena, optarg);
	case 'h':
		fputs(usage_text, stdout);
		return EXIT_CODE_OK;
	case OPTION_VERSION:
		puts("ublkpolc " UBLKPOLC_VERSION);
		return EXIT_CODE_OK;
	default: /* getopt has said what is wrong */
		fputs("See 'ublkpolc --help'\n", stderr);
		return EXIT_CODE_USAGE;
	}
}

int options_parse(struct options *options, struct arena *arena, int argc, char *argv[])
{
	struct options_checks checks = { 0 };
	int option, code = -1;

	*options = (struct options){ 0 };
	options_set_color(options, false, true);
	while (code < 0 && (option = getopt_long(argc, argv, "o:D:SW:h", long_options, NULL)) >= 0)
		code = options_one(options, &checks, arena, option);
	if (code >= 0)
		return code;
	options->checks = options_levels(&checks);
	code = options_files(options, arena, argc, argv);
	if (code < 0)
		options_set_output_color(options);
	return code;
}
