/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_DIAG_H
#define COMPILER_DIAG_H

/*
 * Messages about a policy. All of a run are collected and printed in the order
 * of the file:
 *
 *	halves.ublkpol:2:5: error: the range is empty
 *	    LBA 50%-50% -> fd1
 *	        ^~~~~~~
 *	    hint: the second end is not part of the range
 */
#include <stdbool.h>
#include <stdio.h>

#include "source.h"

enum diag_level {
	DIAG_ERROR,
	DIAG_WARNING,
};

struct diag_message;

struct diag {
	struct arena *arena;
	const struct source *source;
	struct diag_message *messages; /* newest first */
	int nr_errors;
	int nr_warnings;
};

/**
 * diag_add() - add a message
 * @level: an error makes the run fail, a warning does not
 * @check: name of the check, printed in brackets, or NULL
 * @location: what to underline
 * @hint: what to do about it, or NULL; must live as long as @diag
 */
void diag_add(struct diag *diag, enum diag_level level, const char *check, struct location location,
	      const char *hint, const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/** diag_error() - diag_add() for most errors */
#define diag_error(diag, location, hint, ...) \
	diag_add(diag, DIAG_ERROR, NULL, location, hint, __VA_ARGS__)

/** diag_print() - print and forget the messages */
void diag_print(struct diag *diag, FILE *out);

#endif
