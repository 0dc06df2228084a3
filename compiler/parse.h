/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_PARSE_H
#define COMPILER_PARSE_H

#include "ast.h"
#include "diag.h"

/**
 * parse_policy() - from text to AST
 * @policy: filled in with every statement that could be read
 * @source: the text; unchanged when the function returns
 * @diag: gets all syntax errors
 */
void parse_policy(struct ast_policy *policy, struct source *source, struct arena *arena,
		  struct diag *diag);

/** parse_policy_alone() - the same without the files that it includes, which need not exist */
void parse_policy_alone(struct ast_policy *policy, struct source *source, struct arena *arena,
			struct diag *diag);

#endif
