/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_FORMAT_H
#define COMPILER_FORMAT_H

#include <stdio.h>

#include "arena.h"
#include "source.h"

/**
 * format_policy() - write a policy in the one canonical form
 * @source: a policy that parse_policy() finds no fault with
 *
 * A statement a line, one blank between words, arrows of neighbouring rules in
 * one column. Words and comments stay as they are, so the result means the same;
 * formatting it again changes nothing.
 */
void format_policy(FILE *out, const struct source *source, struct arena *arena);

#endif
