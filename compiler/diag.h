/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_DIAG_H
#define COMPILER_DIAG_H

/*
 * Messages about a policy. All of a run are collected and printed in the order
 * of the file:
 *
 *	halves.ublkpol:3:1: error: LBA 25% is read from 'fd0' but written to 'fd1' [coherence]
 *	    3 | read -> fd0
 *	      | ^~~~~~~~~~~
 *	    4 | write -> fd1
 *	      | ~~~~~~~~~~~~
 *	  hint: a read may go only where every write of that LBA goes
 *
 * A warning, and some errors, come from a check, which has a name and can be
 * switched: see checks.h.
 */
#include <stdbool.h>
#include <stdio.h>

#include "checks.h"
#include "source.h"

/* Another place that a message is about */
struct diag_place {
	struct diag_place *next;
	struct location location;
	const char *text; /* or "" */
};

struct diag_message {
	struct diag_message *next;
	bool is_error;
	int order; /* of its coming */
	const char *check; /* name, or NULL */
	const char *text;
	const char *hint; /* or NULL */
	struct location location;
	struct diag_place *places;
};

struct diag {
	struct arena *arena;
	const struct source *source; /* the policy file */
	struct ublkpol_check_levels checks;
	struct diag_message *messages; /* newest first */
	bool is_last_dropped; /* so that diag_also() drops its place too */
	int nr_errors;
	int nr_found; /* those errors that a check has found: the policy has a meaning */
	int nr_warnings;
};

/** diag_init() - no messages yet, every check at its default level */
void diag_init(struct diag *diag, struct arena *arena, const struct source *source);

/**
 * diag_error() - add an error that no switch can avoid
 * @location: what to underline
 * @hint: what to do about it, or NULL; must live as long as @diag
 */
void diag_error(struct diag *diag, struct location location, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/** diag_check() - add what a check has found, at the level that the check has */
void diag_check(struct diag *diag, enum ublkpol_check check, struct location location,
		const char *hint, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/**
 * diag_also() - show another place with the message that was added last
 * @text: what is there, or "": only underline it; must live as long as @diag
 */
void diag_also(struct diag *diag, struct location location, const char *text);

/** diag_sort() - the messages in the order of the file, ended by NULL; from the arena */
const struct diag_message **diag_sort(const struct diag *diag);

/** diag_print() - print the messages for people */
void diag_print(const struct diag *diag, FILE *out, bool has_color);

/** diag_print_json() - print the messages as one JSON object, for programs */
void diag_print_json(const struct diag *diag, FILE *out);

#endif
