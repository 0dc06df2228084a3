// SPDX-License-Identifier: GPL-2.0-only
/*
 * What any bytes do to the compiler, up to the C program that clang would get:
 * they must not crash it, hang it or leak memory. Linked with libFuzzer.
 *
 * An input is a policy, and behind it what else a run of the compiler gets: parts that
 * a byte 0x1e each introduces, and a letter that says what it is (see fuzz_part()).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ast_print.h"
#include "define.h"
#include "emit.h"
#include "explain.h"
#include "format.h"
#include "image.h"
#include "layout.h"
#include "parse.h"
#include "policy_check.h"
#include "range_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The compiler reads files: one that is only in memory, the same in each run */
static const char *fuzz_file(const char *name, const void *data, size_t size)
{
	static char path[64];
	static int fds[2] = { -1, -1 };
	int *fd = &fds[*name == '2'];

	if (*fd < 0)
		*fd = memfd_create(name, MFD_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", *fd);
	if (*fd < 0 || ftruncate(*fd, 0) || pwrite(*fd, data, size, 0) != (ssize_t)size) {
		perror(name);
		abort();
	}
	return path;
}

struct fuzz_text {
	char *text;
	size_t length;
};

static struct fuzz_text fuzz_format(const struct source *source, struct arena *arena)
{
	struct fuzz_text result;
	FILE *out = open_memstream(&result.text, &result.length);

	format_policy(out, source, arena);
	fclose(out);
	return result;
}

static struct fuzz_text fuzz_print_ast(const struct ast_policy *policy, const struct source *source)
{
	struct fuzz_text result;
	FILE *out = open_memstream(&result.text, &result.length);

	ast_print(out, policy, source);
	fclose(out);
	return result;
}

/* Ends the run if the two differ, and frees them */
static void fuzz_must_equal(struct fuzz_text a, struct fuzz_text b, const char *what)
{
	if (a.length != b.length || memcmp(a.text, b.text, a.length)) {
		fprintf(stderr, "%s\n--- one:\n%s--- other:\n%s", what, a.text, b.text);
		abort();
	}
	free(a.text);
	free(b.text);
}

/* The canonical form means the same, and is its own canonical form */
static void fuzz_check_format(const struct ast_policy *policy, const struct source *source,
			      struct arena *arena)
{
	struct fuzz_text form = fuzz_format(source, arena);
	struct ast_policy policy2 = { 0 };
	struct source source2;
	struct diag diag;

	if (source_read(&source2, arena, fuzz_file("2.ublkpol", form.text, form.length)))
		abort();
	source2.name = source->name; /* files that it includes are beside the same one */
	diag_init(&diag, arena, &source2);
	parse_policy(&policy2, &source2, arena, &diag);
	if (diag.nr_errors) {
		fprintf(stderr, "--- the canonical form is wrong:\n%s", form.text);
		abort();
	}
	fuzz_must_equal(fuzz_print_ast(policy, source), fuzz_print_ast(&policy2, &source2),
			"--fmt changes the meaning");
	fuzz_must_equal(form, fuzz_format(&source2, arena), "--fmt changes its own output");
}

static void fuzz_emit(const struct policy_image *image, const struct plan *plan)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	emit_program(out, image, plan, "policy/fuzz.ublkpol", "program.c", NULL);
	fclose(out);
	free(text);
}

static void fuzz_print(struct diag *diag, bool as_json)
{
	static FILE *out;

	if (!out)
		out = fopen("/dev/null", "w");
	if (as_json)
		diag_print_json(diag, out);
	else
		diag_print(diag, out, true);
}

/* The picture and the table, as text, SVG and JSON */
static void fuzz_explain(const struct policy_image *image, const struct plan *plan,
			 const struct resolve_layout *layout, enum routing_scale scale,
			 struct arena *arena)
{
	static const struct explain_style style = { .has_color = true, .has_unicode = true };
	struct routing routing;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	routing_build(&routing, image, layout, scale, arena);
	routing_print(out, &routing);
	routing_print_json(out, &routing, plan);
	explain_text(out, &routing, &style);
	explain_svg(out, &routing);
	fclose(out);
	free(text);
}

/* Laid out on a device of @size bytes; 0: as large as the policy says, if it does */
static void fuzz_layout(const struct policy_image *image, const struct plan *plan, uint64_t size,
			struct arena *arena, struct diag *diag)
{
	const struct options_sizes sizes = { .device = size };
	struct resolve_layout layout;
	enum routing_scale scale;

	check_flushes(image, plan, diag);
	if (layout_policy(image, plan, &sizes, &layout, &scale, diag))
		fuzz_explain(image, plan, &layout, scale, arena);
	resolve_free(&layout);
}

#define FUZZ_SEPARATOR	 0x1e
#define FUZZ_MAX_DEFINES 4U

/* What a run of the compiler gets beside the policy */
struct fuzz_run {
	const char *defines[FUZZ_MAX_DEFINES]; /* -D */
	unsigned int nr_defines;
	__u64 size; /* --size in bytes, or 0 */
};

/* A file in the directory of the run, as the policy may name it */
static void fuzz_write(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	if (!out || fputs(text, out) < 0 || fclose(out)) {
		perror(path);
		abort();
	}
}

static void fuzz_part(struct fuzz_run *run, char kind, const char *text)
{
	struct range_text_error error;

	switch (kind) {
	case 'D':
		if (run->nr_defines < FUZZ_MAX_DEFINES)
			run->defines[run->nr_defines++] = text;
		break;
	case 'I':
		fuzz_write("included.ublkpol", text);
		break;
	case 'R':
		fuzz_write("ranges", text);
		break;
	case 'S':
		if (range_text_size(text, &run->size, &error))
			run->size = 0;
		break;
	}
}

/* Return: the size of the policy, which the parts follow */
static size_t fuzz_parts(struct fuzz_run *run, const uint8_t *data, size_t size,
			 struct arena *arena)
{
	const uint8_t *end = data + size;
	const uint8_t *part = size ? memchr(data, FUZZ_SEPARATOR, size) : NULL;
	size_t policy_size = part ? (size_t)(part - data) : size;

	unlink("included.ublkpol");
	unlink("ranges");
	while (part && ++part < end) {
		const uint8_t *next = memchr(part, FUZZ_SEPARATOR, (size_t)(end - part));
		const char *text = (const char *)part + 1;
		size_t length = (size_t)((next ? next : end) - part);

		if (length)
			fuzz_part(run, (char)*part, arena_strndup(arena, text, length - 1));
		part = next;
	}
	return policy_size;
}

/* As ublkpolc.c does it, --diagnostics=json for every other input */
static void fuzz_compile(struct source *source, const struct fuzz_run *run, struct arena *arena,
			 bool as_json)
{
	struct ast_policy policy = { 0 };
	struct policy_image image;
	struct plan plan;
	struct diag diag;

	diag_init(&diag, arena, source);
	parse_policy(&policy, source, arena, &diag);
	if (!diag.nr_errors)
		fuzz_check_format(&policy, source, arena);
	for (unsigned int i = 0; i < run->nr_defines; i++)
		define_param(&policy, run->defines[i], DEFINE_FIRST_ORDER + i, arena, &diag);
	check_policy(&policy, arena, &diag);
	if (diag.nr_errors == diag.nr_found)
		plan_build(&plan, &policy, arena, &diag);
	if (diag.nr_errors == diag.nr_found) {
		image_build(&image, &plan, source, &diag);
		fuzz_layout(&image, &plan, 0, arena, &diag);
		fuzz_layout(&image, &plan, run->size ? run->size : 1ULL << 30, arena, &diag);
	}
	if (!diag.nr_errors)
		fuzz_emit(&image, &plan);
	fuzz_print(&diag, as_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct fuzz_run run = { .nr_defines = 0 };
	struct source source;
	size_t policy_size = fuzz_parts(&run, data, size, &arena);

	if (!source_read(&source, &arena, fuzz_file("1.ublkpol", data, policy_size))) {
		/* included files are sought in the directory of the run, not among fds */
		source.name = "policy.ublkpol";
		fuzz_compile(&source, &run, &arena, size % 2);
	}
	arena_free(&arena);
	return 0;
}
