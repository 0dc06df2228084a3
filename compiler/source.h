/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_SOURCE_H
#define COMPILER_SOURCE_H

/* The text of a policy file, and places in it */
#include <stddef.h>

#include "arena.h"

struct source;

/*
 * Lines and columns count from 1, columns in bytes; last_column is that of
 * the byte behind the last one. Line 0 means the file as a whole.
 */
struct location {
	int first_line;
	int first_column;
	int last_line;
	int last_column;
	const struct source *source; /* the included file, or NULL: the policy file itself */
};

struct source {
	const char *name; /* as the user gave it */
	unsigned int order; /* 0: the policy file; its includes count from 1 */
	char *text; /* ends with a newline and two NULs, as flex wants it */
	size_t length; /* without the NULs */
	const char **lines; /* start of each line */
	int nr_lines;
};

/**
 * source_read() - read a policy file
 * @source: filled in; memory comes from @arena
 * @path: "-" is standard input
 *
 * Return: 0, or a negative errno; -EINVAL for a file that holds a NUL, -EFBIG
 * for one of more than 64MiB
 */
int source_read(struct source *source, struct arena *arena, const char *path);

/** source_from_text() - the same from a text in memory; @name is for messages */
void source_from_text(struct source *source, struct arena *arena, const char *name,
		      const char *text);

/** source_path_beside() - where @path is, as seen from the directory of the file @source */
const char *source_path_beside(const struct source *source, struct arena *arena, const char *path);

/** source_line() - text of line @line, with its length in @length */
const char *source_line(const struct source *source, int line, size_t *length);

/** source_text() - what stands at @location, blanks and comments made one blank */
const char *source_text(const struct source *source, struct arena *arena, struct location location);

#endif
