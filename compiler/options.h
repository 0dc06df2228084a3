/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_OPTIONS_H
#define COMPILER_OPTIONS_H

/* The command line of ublkpolc */
#include <stdbool.h>

#include "arena.h"
#include "ublkpol_object.h"

/* What a run makes of the policy */
enum options_mode {
	OPTIONS_OBJECT,
	OPTIONS_C,
	OPTIONS_CHECK,
	OPTIONS_FORMAT,
	OPTIONS_AST,
	OPTIONS_PLAN,
	OPTIONS_JSON,
	OPTIONS_EXPLAIN,
	OPTIONS_EXPLAIN_SVG,
};

/* -D NAME=VALUE */
struct options_define {
	struct options_define *next;
	const char *text;
};

/* --size NAME=SIZE */
struct options_size {
	struct options_size *next;
	const char *name; /* of a backend */
	__u64 bytes;
};

struct options_sizes {
	__u64 device; /* bytes, or 0 */
	struct options_size *backends;
};

struct options {
	const char *input; /* "-": standard input */
	const char *output; /* "-": standard output */
	enum options_mode mode;
	struct options_define *defines;
	struct options_sizes sizes;
	struct ublkpol_check_levels checks;
	bool has_json; /* messages as JSON */
	bool has_color; /* messages in colour */
	bool has_output_color; /* the same for what a run makes */
	bool is_auto_color; /* only on a terminal */
};

/**
 * options_parse() - read the command line
 *
 * Strings are those of @argv or from @arena.
 * Return: -1 to go on, or the code to exit with, after what there was to say.
 */
int options_parse(struct options *options, struct arena *arena, int argc, char *argv[]);

/** options_would_overwrite() - whether what the run writes takes the place of the file @path */
bool options_would_overwrite(const struct options *options, const char *path);

/** options_find_size() - the size that the command line gives backend @name, or NULL */
const struct options_size *options_find_size(const struct options_sizes *sizes, const char *name);

#endif
