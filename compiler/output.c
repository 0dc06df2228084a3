// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clang.h"
#include "emit.h"
#include "image.h"
#include "output.h"
#include "templates.h"

/* In the work directory */
#define OUTPUT_PROGRAM	  "program.c"
#define OUTPUT_OBJECT	  "program.o"
#define OUTPUT_IMAGE	  "image"
#define OUTPUT_TEXT	  "text"
#define OUTPUT_POLICY_DIR "policy"

struct output {
	const char *path; /* what the user asked for */
	char target[PATH_MAX]; /* the file there, behind symbolic links */
	struct stat old; /* of that file; st_mode is 0 if there is none */
	int special_fd; /* a device, a pipe or the like to write into; -1: a file takes its place */
	char directory[PATH_MAX]; /* work directory */
	int directory_fd; /* -1: there is none */
	/* The policy in it, where the object's debug information finds it */
	char policy[sizeof(OUTPUT_POLICY_DIR) + NAME_MAX + 1];
};

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

/* --- what is there already --- */

/* A file that has no name any more, such as a standard output, cannot be replaced either */
static bool output_is_special(const struct output *output)
{
	return !S_ISREG(output->old.st_mode) || !output->old.st_nlink;
}

/* The new file gets the name that @path leads to; what is no file is written into */
static int output_find_target(struct output *output)
{
	struct stat link;

	if (lstat(output->path, &link)) {
		if (strlen(output->path) >= sizeof(output->target))
			return output_error("write", output->path, -ENAMETOOLONG);
		strcpy(output->target, output->path);
		return 0;
	}
	if (stat(output->path, &output->old))
		return output_error("write", output->path, -errno);
	if (!output_is_special(output))
		return realpath(output->path, output->target)
			       ? 0
			       : output_error("write", output->path, -errno);

	/* Before there is anything to clean up: a pipe may wait for its reader */
	output->special_fd = open(output->path, O_WRONLY | O_TRUNC | O_NOCTTY | O_CLOEXEC);
	return output->special_fd < 0 ? output_error("write", output->path, -errno) : 0;
}

/* --- the work directory --- */

/* Beside the target, so that it can be renamed */
static int output_name_directory(struct output *output)
{
	const size_t size = sizeof(output->directory);
	const char *temporary = getenv("TMPDIR");
	int parent_length = output_base_name(output->target) - output->target;
	int length;

	if (output->special_fd >= 0)
		length = snprintf(output->directory, size, "%s/ublkpolc.XXXXXX",
				  temporary && *temporary ? temporary : "/tmp");
	else
		length = snprintf(output->directory, size, "%.*s.ublkpolc.XXXXXX", parent_length,
				  output->target);
	return length < (int)size ? 0 : output_error("write", output->path, -ENAMETOOLONG);
}

static int output_begin(struct output *output, const char *path)
{
	int err;

	*output = (struct output){ .path = path, .directory_fd = -1, .special_fd = -1 };
	err = output_find_target(output);
	if (!err)
		err = output_name_directory(output);
	if (err)
		return err;
	if (!mkdtemp(output->directory))
		return output_error("write", path, -errno);

	output->directory_fd = open(output->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (output->directory_fd < 0) {
		rmdir(output->directory);
		return output_error("open", output->directory, -errno);
	}
	return 0;
}

static int output_remove(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
	(void)stat;
	(void)kind;
	(void)place;
	remove(path);
	return 0;
}

static void output_end(const struct output *output)
{
	if (output->special_fd >= 0)
		close(output->special_fd);
	if (output->directory_fd < 0)
		return;
	close(output->directory_fd);
	nftw(output->directory, output_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes what is in @fd into the special file; 0 or -errno */
static int output_copy(const struct output *output, int fd)
{
	char buffer[1 << 16];
	ssize_t got, written;

	while ((got = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t at = 0; at < got; at += written) {
			written = write(output->special_fd, buffer + at, got - at);
			if (written < 0)
				return -errno;
		}
	}
	return got < 0 ? -errno : 0;
}

static int output_publish_special(const struct output *output, const char *name)
{
	int fd = openat(output->directory_fd, name, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return output_error("open", name, -errno);
	/* A reader that goes away must not keep this from cleaning up */
	signal(SIGPIPE, SIG_IGN);
	err = output_copy(output, fd);
	close(fd);
	return err ? output_error("write", output->path, err) : 0;
}

static int output_publish(const struct output *output, const char *name)
{
	if (output->special_fd >= 0)
		return output_publish_special(output, name);
	if (output->old.st_mode) {
		/* Only root can give files away: else it belongs to whoever wrote it */
		if (fchownat(output->directory_fd, name, output->old.st_uid, output->old.st_gid, 0))
			errno = 0;
		if (fchmodat(output->directory_fd, name, output->old.st_mode & 0777, 0))
			return output_error("write", output->path, -errno);
	}
	if (renameat(output->directory_fd, name, AT_FDCWD, output->target))
		return output_error("write", output->path, -errno);
	return 0;
}

/* --- what goes into it --- */

static int output_make_directory(const struct output *output, const char *name)
{
	if (mkdirat(output->directory_fd, name, 0777))
		return output_error("create", name, -errno);
	return 0;
}

static FILE *output_open(const struct output *output, const char *name)
{
	int fd = openat(output->directory_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

	if (!file) {
		output_error("create", name, -errno);
		if (fd >= 0)
			close(fd);
	}
	return file;
}

static int output_close(FILE *file, const char *name)
{
	bool is_bad = ferror(file);

	if (fclose(file) || is_bad)
		return output_error("write", name, errno ? -errno : -EIO);
	return 0;
}

static int output_write_file(const struct output *output, const char *name, const char *text,
			     size_t length)
{
	FILE *file = output_open(output, name);

	if (!file)
		return -EIO;
	fwrite(text, 1, length, file);
	return output_close(file, name);
}

static int output_write_headers(const struct output *output)
{
	int err = output_make_directory(output, "linux");

	for (size_t i = 0; !err && i < template_nr_headers; i++)
		err = output_write_file(output, template_headers[i].path, template_headers[i].text,
					template_headers[i].end - template_headers[i].text);
	return err;
}

/*
 * An included file goes where clang looks for its name. One outside the work
 * directory is left where it is: there, clang finds it or does without it.
 */
static int output_write_included(const struct output *output, const struct source *source)
{
	char path[PATH_MAX];

	if (*source->name == '/' || strstr(source->name, "..") ||
	    strlen(source->name) >= sizeof(path) ||
	    !faccessat(output->directory_fd, source->name, F_OK, 0))
		return 0;
	strcpy(path, source->name);
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(output->directory_fd, path, 0777) && errno != EEXIST)
			return output_error("create", path, -errno);
		*slash = '/';
	}
	return output_write_file(output, path, source->text, source->length);
}

/* clang quotes the policy in the object, for the verifier's log */
static int output_write_policy(const struct output *output, const struct plan *plan,
			       const struct source *source)
{
	int err = output_make_directory(output, OUTPUT_POLICY_DIR);

	if (!err)
		err = output_write_file(output, output->policy, source->text, source->length);
	for (__u32 i = 0; !err && i < plan->policy->nr_rules; i++) {
		const struct source *included = plan->rules[i].rule->location.source;

		if (included)
			err = output_write_included(output, included);
	}
	return err;
}

/* What the program carries besides its code */
static int output_write_image(const struct output *output, const struct policy_image *image)
{
	struct arena arena = { 0 };
	size_t size;
	const void *data = image_pack(image, &arena, &size);
	int err = output_write_file(output, OUTPUT_IMAGE, data, size);

	arena_free(&arena);
	return err;
}

static int output_write_program(const struct output *output, const struct policy_image *image,
				const struct plan *plan, const char *policy_file,
				const char *program_file)
{
	FILE *file = output_open(output, OUTPUT_PROGRAM);

	if (!file)
		return -EIO;
	emit_program(file, image, plan, policy_file, program_file, OUTPUT_IMAGE);
	return output_close(file, OUTPUT_PROGRAM);
}

static int output_compile(const struct output *output)
{
	const char *clang = clang_find();
	int err;

	if (!clang)
		return -ENOENT;
	err = clang_compile(clang, output->directory, OUTPUT_PROGRAM, OUTPUT_OBJECT);
	if (err && err != -EINTR)
		fprintf(stderr, "ublkpolc: %s could not compile the program of %s\n", clang,
			output->path);
	return err;
}

/* --- entry points --- */

int output_write_text(const char *path, output_fn write, const void *arg)
{
	struct output output;
	FILE *file;
	int err;

	if (!strcmp(path, "-")) {
		write(stdout, arg);
		if (fflush(stdout) || ferror(stdout))
			return output_error("write", "to standard output", -EIO);
		return 0;
	}

	err = output_begin(&output, path);
	if (!err) {
		file = output_open(&output, OUTPUT_TEXT);
		err = file ? 0 : -EIO;
	}
	if (!err) {
		write(file, arg);
		err = output_close(file, OUTPUT_TEXT);
	}
	if (!err)
		err = output_publish(&output, OUTPUT_TEXT);
	output_end(&output);
	return err;
}

int output_write_object(const struct policy_image *image, const struct plan *plan,
			const struct source *source, const char *path)
{
	struct output output;
	int err;

	err = output_begin(&output, path);
	snprintf(output.policy, sizeof(output.policy), OUTPUT_POLICY_DIR "/%s",
		 output_base_name(source->name));
	if (!err)
		err = output_write_headers(&output);
	if (!err)
		err = output_write_image(&output, image);
	if (!err)
		err = output_write_program(&output, image, plan, output.policy, OUTPUT_PROGRAM);
	if (!err)
		err = output_write_policy(&output, plan, source);
	if (!err)
		err = output_compile(&output);
	if (!err)
		err = output_publish(&output, OUTPUT_OBJECT);
	output_end(&output);
	return err;
}
