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
};

/* -D NAME=VALUE */
struct options_define {
	struct options_define *next;
	const char *text;
};

struct options {
	const char *input; /* "-": standard input */
	const char *output; /* "-": standard output */
	enum options_mode mode;
	struct options_define *defines;
	__u64 size; /* of the device in bytes, or 0 */
	struct ublkpol_check_levels checks;
	bool has_json; /* messages as JSON */
	bool has_color; /* messages in colour */
};

/**
 * options_parse() - read the command line
 *
 * Strings are those of @argv or from @arena.
 * Return: -1 to go on, or the code to exit with, after what there was to say.
 */
int options_parse(struct options *options, struct arena *arena, int argc, char *argv[]);

#endif
