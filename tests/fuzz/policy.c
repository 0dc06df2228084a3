// SPDX-License-Identifier: GPL-2.0-only
/*
 * What any bytes do to the compiler, up to the C program that clang would get:
 * they must not crash it, hang it or leak memory. Linked with libFuzzer.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "emit.h"
#include "image.h"
#include "layout.h"
#include "parse.h"
#include "policy_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The compiler reads files: one that is only in memory, the same in each run */
static const char *fuzz_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz.ublkpol", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size) {
		perror("fuzz.ublkpol");
		abort();
	}
	return path;
}

static void fuzz_emit(const struct policy_image *image)
{
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	emit_program(out, image, "policy/fuzz.ublkpol", "program.c");
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

/* As ublkpolc.c does it, --diagnostics=json for every other input */
static void fuzz_compile(struct source *source, struct arena *arena, bool as_json)
{
	struct ast_policy policy = { 0 };
	struct policy_image image;
	struct diag diag;

	diag_init(&diag, arena, source);
	parse_policy(&policy, source, arena, &diag);
	check_policy(&policy, arena, &diag);
	if (diag.nr_errors == diag.nr_found) {
		image_build(&image, &policy, source, &diag.checks, arena);
		layout_check(&image, &policy, 0, &diag);
		layout_check(&image, &policy, 1ULL << 30, &diag);
	}
	if (!diag.nr_errors)
		fuzz_emit(&image);
	fuzz_print(&diag, as_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = { 0 };
	struct source source;

	if (!source_read(&source, &arena, fuzz_file(data, size)))
		fuzz_compile(&source, &arena, size % 2);
	arena_free(&arena);
	return 0;
}
