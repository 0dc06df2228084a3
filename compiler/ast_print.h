/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_AST_PRINT_H
#define COMPILER_AST_PRINT_H

#include <stdio.h>

#include "ast.h"

/**
 * ast_print() - write what the parser understood, as an indented tree
 * @source: the policy file
 *
 * Two policies that are parsed alike are printed alike, wherever their words stand.
 */
void ast_print(FILE *out, const struct ast_policy *policy, const struct source *source);

#endif
