// SPDX-License-Identifier: GPL-2.0-only
/* ublkpolc: from a policy to a BPF object */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "ast_print.h"
#include "define.h"
#include "emit.h"
#include "exit_code.h"
#include "explain.h"
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
	struct plan plan;
	struct policy_image image;
	struct resolve_layout layout;
	bool has_layout;
	enum routing_scale scale; /* of the layout */
};

/* --- what comes out --- */

static void write_c(FILE *out, const void *arg)
{
	const struct run *run = arg;
	const char *slash = strrchr(run->options.output, '/');
	const char *name = slash ? slash + 1 : run->options.output;

	emit_program(out, &run->image, &run->plan, run->source.name,
		     strcmp(name, "-") ? name : "policy.bpf.c", NULL);
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

static void write_plan(FILE *out, const void *arg)
{
	const struct run *run = arg;
	struct explain_style style = { .has_color = run->options.has_output_color };
	struct arena arena = { 0 };
	struct routing routing;

	routing_build(&routing, &run->image, &run->layout, run->scale, &arena);
	setlocale(LC_CTYPE, "");
	style.has_unicode = !strcmp(nl_langinfo(CODESET), "UTF-8");
	switch (run->options.mode) {
	case OPTIONS_PLAN:
		routing_print(out, &routing);
		break;
	case OPTIONS_JSON:
		routing_print_json(out, &routing, &run->plan);
		break;
	case OPTIONS_EXPLAIN:
		explain_text(out, &routing, &style);
		break;
	default:
		explain_svg(out, &routing);
		break;
	}
	arena_free(&arena);
}

static int write_output(const struct run *run)
{
	const char *output = run->options.output;

	switch (run->options.mode) {
	case OPTIONS_CHECK:
		return 0;
	case OPTIONS_OBJECT:
		return output_write_object(&run->image, &run->plan, &run->source, output);
	case OPTIONS_C:
		return output_write_text(output, write_c, run);
	case OPTIONS_AST:
		return output_write_text(output, write_ast, run);
	case OPTIONS_PLAN:
	case OPTIONS_JSON:
	case OPTIONS_EXPLAIN:
	case OPTIONS_EXPLAIN_SVG:
		return output_write_text(output, write_plan, run);
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

	/* The form of a policy does not depend on other files, nor on values */
	if (run->options.mode == OPTIONS_FORMAT) {
		parse_policy_alone(&run->policy, &run->source, &run->arena, &run->diag);
		return;
	}
	parse_policy(&run->policy, &run->source, &run->arena, &run->diag);
	for (const struct options_define *d = run->options.defines; d; d = d->next)
		define_param(&run->policy, d->text, order++, &run->arena, &run->diag);
}

static bool needs_layout(const struct run *run)
{
	switch (run->options.mode) {
	case OPTIONS_PLAN:
	case OPTIONS_JSON:
	case OPTIONS_EXPLAIN:
	case OPTIONS_EXPLAIN_SVG:
		return true;
	default:
		return false;
	}
}

static void check(struct run *run)
{
	check_policy(&run->policy, &run->arena, &run->diag);
	/* What checks find is no obstacle to further checks */
	if (run->diag.nr_errors > run->diag.nr_found)
		return;
	plan_build(&run->plan, &run->policy, &run->arena, &run->diag);
	if (run->diag.nr_errors > run->diag.nr_found)
		return;
	image_build(&run->image, &run->plan, &run->source, &run->diag);
	if (run->diag.nr_errors > run->diag.nr_found)
		return;
	check_flushes(&run->image, &run->plan, &run->diag);
	run->has_layout = layout_policy(&run->image, &run->plan, &run->options.sizes, &run->layout,
					&run->scale, &run->diag);
	if (!run->has_layout && !run->diag.nr_errors && needs_layout(run))
		diag_error(&run->diag, (struct location){ 0 }, "say it, such as --size 10GiB",
			   "what lies where depends on the size of the device");
}

/* The policy itself is not written over, see options_parse(); nor is what it is made of */
static const char *overwritten(struct run *run)
{
	const struct ast_declaration *d;

	for (d = run->policy.declarations; d; d = d->next) {
		const struct source *source = d->location.source;
		const char *path;

		if (!d->path || (d->kind != AST_DECLARE_INCLUDE && d->kind != AST_DECLARE_SET))
			continue;
		path = source_path_beside(source ? source : &run->source, &run->arena, d->path);
		if (options_would_overwrite(&run->options, path))
			return path;
	}
	return NULL;
}

static int compile(struct run *run)
{
	const char *path;

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
	path = overwritten(run);
	if (path) {
		fprintf(stderr, "ublkpolc: -o would overwrite '%s', of which the policy is made\n",
			path);
		return EXIT_CODE_USAGE;
	}
	return write_output(run) ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int main(int argc, char *argv[])
{
	struct run run = { 0 };
	int code;

	code = options_parse(&run.options, &run.arena, argc, argv);
	if (code < 0)
		code = compile(&run);
	resolve_free(&run.layout);
	arena_free(&run.arena);
	return code;
}
