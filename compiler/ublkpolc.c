// SPDX-License-Identifier: GPL-2.0-only
/* ublkpolc: from a policy to a BPF object */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit_code.h"
#include "image.h"
#include "layout.h"
#include "options.h"
#include "output.h"
#include "parse.h"
#include "policy_check.h"

/* FILE.ublkpol becomes FILE.bpf.o or FILE.bpf.c */
static const char *default_output(struct arena *arena, const struct options *options)
{
	static const char suffix[] = ".ublkpol";
	size_t length = strlen(options->input);

	if (length > strlen(suffix) && !strcmp(options->input + length - strlen(suffix), suffix))
		length -= strlen(suffix);
	return arena_printf(arena, "%.*s.bpf.%c", (int)length, options->input,
			    options->mode == OPTIONS_C ? 'c' : 'o');
}

static int read_policy(const struct options *options, struct source *source, struct arena *arena)
{
	int err = source_read(source, arena, options->input);

	if (err)
		fprintf(stderr, "ublkpolc: cannot read %s: %s\n", options->input,
			err == -EINVAL ? "it is no text" : strerror(-err));
	return err;
}

static int write_output(const struct options *options, const struct policy_image *image,
			const struct source *source, struct arena *arena)
{
	const char *output = options->output ? options->output : default_output(arena, options);

	switch (options->mode) {
	case OPTIONS_CHECK:
		return 0;
	case OPTIONS_C:
		return output_write_c(image, source, output);
	case OPTIONS_OBJECT:
		return output_write_object(image, source, output);
	}
	return -EINVAL;
}

static int compile(const struct options *options, struct arena *arena)
{
	struct ast_policy policy = { 0 };
	struct policy_image image;
	struct source source;
	struct diag diag;

	if (read_policy(options, &source, arena))
		return EXIT_CODE_SYSTEM;

	diag_init(&diag, arena, &source);
	diag.checks = options->checks;
	parse_policy(&policy, &source, arena, &diag);
	check_policy(&policy, arena, &diag);
	if (diag.nr_errors == diag.nr_found) {
		image_build(&image, &policy, &source, &options->checks, arena);
		layout_check(&image, &policy, options->size, &diag);
	}

	if (options->has_json)
		diag_print_json(&diag, stderr);
	else
		diag_print(&diag, stderr, options->has_color);
	if (diag.nr_errors)
		return EXIT_CODE_POLICY;
	return write_output(options, &image, &source, arena) ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int main(int argc, char *argv[])
{
	struct options options;
	struct arena arena = { 0 };
	int code;

	code = options_parse(&options, argc, argv);
	if (code < 0)
		code = compile(&options, &arena);
	arena_free(&arena);
	return code;
}
