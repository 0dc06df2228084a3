/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_COVERAGE_H
#define TESTS_COMPILER_COVERAGE_H

/* Included before a parser that is built with its trace, see random_policies.c */
#include <stdio.h>

extern int policy_debug;

/** coverage_printf() - gets each line of the trace, before it is formatted */
int coverage_printf(FILE *out, const char *format, ...);

#endif
