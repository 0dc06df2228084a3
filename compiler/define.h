/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_DEFINE_H
#define COMPILER_DEFINE_H

#include "ast.h"
#include "diag.h"

#define DEFINE_FIRST_ORDER (1U << 30) /* behind all files */

/**
 * define_param() - give a parameter of a policy another value
 * @text: "NAME=VALUE", as the command line has it
 * @order: its place among all texts, in messages: DEFINE_FIRST_ORDER or more
 * @diag: gets what is wrong with it
 */
void define_param(struct ast_policy *policy, const char *text, unsigned int order,
		  struct arena *arena, struct diag *diag);

#endif
