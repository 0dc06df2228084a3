// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clang.h"
#include "emit.h"
#include "output.h"
#include "templates.h"

#define OUTPUT_C_SUFFIX		".c"
#define OUTPUT_O_SUFFIX		".o"

static int output_error(const char *what, const char *path, int code)
{
	fprintf(stderr, "ublkpolc: cannot %s %s: %s\n", what, path, strerror(-code));
	return code;
}

static const char *output_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int output_close(FILE *file)
{
	int err = ferror(file) ? -EIO : 0;

	if (fclose(file) && !err)
		err = -errno;
	return err;
}

/* --- the work directory --- */

static int output_begin(struct output *output, const char *path)
{
	int directory_length = output_base_name(path) - path;

	output->path = path;
	if (snprintf(output->directory, sizeof(output->directory), "%.*s.ublkpolc.XXXXXX",
		     directory_length, path) >= (int)sizeof(output->directory) - 64) {
		output->directory[0] = '\0';
		return output_error("write", path, -ENAMETOOLONG);
	}
	if (!mkdtemp(output->directory)) {
		output->directory[0] = '\0';
		return output_error("write", path, -errno);
	}
	return 0;
}

static void output_work_path(const struct output *output, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - NAME_MAX - 2, output->directory, name);
}

static void output_remove(const struct output *output, const char *name)
{
	char path[PATH_MAX];

	output_work_path(output, name, path);
	unlink(path);
}

static void output_end(const struct output *output)
{
	char path[PATH_MAX];

	if (!output->directory[0])
		return;
	for (size_t i = 0; i < template_nr_headers; i++)
		output_remove(output, template_headers[i].path);
	output_remove(output, "program" OUTPUT_C_SUFFIX);
	output_remove(output, "program" OUTPUT_O_SUFFIX);
	output_work_path(output, "linux", path);
	rmdir(path);
	rmdir(output->directory);
}

static int output_publish(const struct output *output, const char *name)
{
	char path[PATH_MAX];

	output_work_path(output, name, path);
	if (rename(path, output->path))
		return output_error("write", output->path, -errno);
	return 0;
}

/* --- what goes into it --- */

static int output_write_headers(const struct output *output)
{
	char path[PATH_MAX];

	output_work_path(output, "linux", path);
	if (mkdir(path, 0777))
		return output_error("create", path, -errno);

	for (size_t i = 0; i < template_nr_headers; i++) {
		const struct template_file *header = &template_headers[i];
		FILE *file;
		int err;

		output_work_path(output, header->path, path);
		file = fopen(path, "we");
		if (!file)
			return output_error("create", path, -errno);
		fwrite(header->text, 1, header->end - header->text, file);
		err = output_close(file);
		if (err)
			return output_error("write", path, err);
	}
	return 0;
}

static int output_write_program(const struct output *output, const struct policy_image *image,
				const char *program_name)
{
	char path[PATH_MAX];
	FILE *file;
	int err;

	output_work_path(output, "program" OUTPUT_C_SUFFIX, path);
	file = fopen(path, "we");
	if (!file)
		return output_error("create", path, -errno);
	emit_program(file, image, program_name);
	err = output_close(file);
	return err ? output_error("write", path, err) : 0;
}

static int output_compile(const struct output *output)
{
	char input[PATH_MAX], object[PATH_MAX];
	const char *clang = clang_find();
	int err;

	if (!clang)
		return -ENOENT;
	output_work_path(output, "program" OUTPUT_C_SUFFIX, input);
	output_work_path(output, "program" OUTPUT_O_SUFFIX, object);
	err = clang_compile(clang, output->directory, input, object);
	if (err && err != -EINTR)
		fprintf(stderr, "ublkpolc: %s could not compile the program of %s\n", clang,
			output->path);
	return err;
}

/* --- entry points --- */

int output_write_c(const struct policy_image *image, const char *path)
{
	struct output output;
	int err;

	if (!strcmp(path, "-")) {
		emit_program(stdout, image, "policy.bpf.c");
		if (fflush(stdout) || ferror(stdout))
			return output_error("write", "to standard output", -EIO);
		return 0;
	}

	err = output_begin(&output, path);
	if (!err)
		err = output_write_program(&output, image, output_base_name(path));
	if (!err)
		err = output_publish(&output, "program" OUTPUT_C_SUFFIX);
	output_end(&output);
	return err;
}

int output_write_object(const struct policy_image *image, const char *path)
{
	struct output output;
	int err;

	err = output_begin(&output, path);
	if (!err)
		err = output_write_headers(&output);
	if (!err)
		err = output_write_program(&output, image, "program" OUTPUT_C_SUFFIX);
	if (!err)
		err = output_compile(&output);
	if (!err)
		err = output_publish(&output, "program" OUTPUT_O_SUFFIX);
	output_end(&output);
	return err;
}
