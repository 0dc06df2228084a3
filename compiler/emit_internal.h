/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_EMIT_INTERNAL_H
#define COMPILER_EMIT_INTERNAL_H

/*
 * Between the emit*.c only. The program is bpf_templates/policy.bpf.c.in, where
 * each line "@NAME@" gives way to what the function of that name writes.
 */
#include <stdio.h>

#include "plan.h"
#include "policy_image.h"

/* What more of a kind than these there are, go into functions for so many each */
#define EMIT_GROUP 64

struct emit {
	FILE *out;
	int line; /* next one to write, from 1 */
	const struct policy_image *image;
	const struct plan *plan;
	const char *policy_file;
	const char *program_file;
	const char *image_file; /* or NULL */
};

/** emit() - formatted text */
void emit(struct emit *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** emit_char() - one character */
void emit_char(struct emit *e, char c);

/** emit_text() - a string of the image */
const char *emit_text(const struct emit *e, __u32 string);

/** emit_escaped() - text inside a C string */
void emit_escaped(struct emit *e, const char *text);

/** emit_comment() - text inside a comment, which it does not end */
void emit_comment(struct emit *e, const char *text);

/** emit_policy_line() - what follows belongs to the rule's line of the policy */
void emit_policy_line(struct emit *e, const struct ublkpol_rule *rule);

/** emit_program_line() - what follows belongs to its own line again */
void emit_program_line(struct emit *e);

/** emit_slot() - the name of a backend's slot */
void emit_slot(struct emit *e, __u32 backend);

/** emit_test() - an expression of 0 or 1 for a condition's test */
void emit_test(struct emit *e, const struct test *test);

/** emit_value() - a number or parameter, in the measure that the program has for it */
void emit_value(struct emit *e, const struct ast_value *value);

/* The parts of the program */
void emit_conditions(struct emit *e);
void emit_modifiers(struct emit *e);
void emit_mirrors(struct emit *e);
void emit_flush(struct emit *e);
void emit_complete(struct emit *e);
void emit_image(struct emit *e);

#endif
