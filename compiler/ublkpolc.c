// SPDX-License-Identifier: GPL-2.0-only
/* ublkpolc: from a policy to a BPF object */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ast_print.h"
#include "define.h"
#include "emit.h"
#include "exit_code.h"
#include "format.h"
#include "image.h"
#include "layout.h"
#include "options.h"
#include "output.h"
#include "parse.h"
#include "policy_check.h"

/* One run, as far as it got */
struct run {
	struct options options;
	struct arena arena;
	struct source source;
	struct diag diag;
	struct ast_policy policy;
	struct policy_image image;
};

/* --- what comes out --- */

static void write_c(FILE *out, const void *arg)
{
	const struct run *run = arg;
	const char *slash = strrchr(run->options.output, '/');

	emit_program(out, &run->image, run->source.name, slash ? slash + 1 : run->options.output);
}

static void write_format(FILE *out, const void *arg)
{
	const struct run *run = arg;
	struct arena arena = { 0 };

	format_policy(out, &run->source, &arena);
	arena_free(&arena);
}

static void write_ast(FILE *out, const void *arg)
{
	const struct run *run = arg;

	ast_print(out, &run->policy, &run->source);
}

static int write_output(const struct run *run)
{
	const char *output = run->options.output;

	switch (run->options.mode) {
	case OPTIONS_CHECK:
		return 0;
	case OPTIONS_OBJECT:
		return output_write_object(&run->image, &run->source, output);
	case OPTIONS_C:
		return output_write_text(output, write_c, run);
	case OPTIONS_AST:
		return output_write_text(output, write_ast, run);
	case OPTIONS_FORMAT:
		return output_write_text(output, write_format, run);
	}
	return -EINVAL;
}

/* --- the stages --- */

static int read_policy(struct run *run)
{
	int err = source_read(&run->source, &run->arena, run->options.input);

	if (err)
		fprintf(stderr, "ublkpolc: cannot read %s: %s\n", run->options.input,
			err == -EINVAL ? "it is no text" : strerror(-err));
	return err;
}

static void parse(struct run *run)
{
	unsigned int order = DEFINE_FIRST_ORDER;

	parse_policy(&run->policy, &run->source, &run->arena, &run->diag);
	for (const struct options_define *d = run->options.defines; d; d = d->next)
		define_param(&run->policy, d->text, order++, &run->arena, &run->diag);
}

static void check(struct run *run)
{
	check_policy(&run->policy, &run->arena, &run->diag);
	/* What checks find is no obstacle to further checks */
	if (run->diag.nr_errors > run->diag.nr_found)
		return;
	image_build(&run->image, &run->policy, &run->source, &run->diag.checks, &run->arena);
	layout_check(&run->image, &run->policy, run->options.size, &run->diag);
}

static int compile(struct run *run)
{
	if (read_policy(run))
		return EXIT_CODE_SYSTEM;

	diag_init(&run->diag, &run->arena, &run->source);
	run->diag.checks = run->options.checks;
	parse(run);
	if (run->options.mode != OPTIONS_FORMAT && run->options.mode != OPTIONS_AST)
		check(run);

	if (run->options.has_json)
		diag_print_json(&run->diag, stderr);
	else
		diag_print(&run->diag, stderr, run->options.has_color);
	if (run->diag.nr_errors)
		return EXIT_CODE_POLICY;
	return write_output(run) ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int main(int argc, char *argv[])
{
	struct run run = { 0 };
	int code;

	code = options_parse(&run.options, &run.arena, argc, argv);
	if (code < 0)
		code = compile(&run);
	arena_free(&run.arena);
	return code;
}
