/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_PARSE_CONTEXT_H
#define COMPILER_PARSE_CONTEXT_H

/* Between lexer.l and parser.y only */
#include "ast.h"
#include "diag.h"

/* bison's own does not know that a location has a file */
#define YYLLOC_DEFAULT(current, rhs, n)                                 \
	do {                                                            \
		(current) = YYRHSLOC(rhs, (n) ? 1 : 0);                 \
		(current).last_line = YYRHSLOC(rhs, n).last_line;       \
		(current).last_column = YYRHSLOC(rhs, n).last_column;   \
		if (!(n)) {                                             \
			(current).first_line = (current).last_line;     \
			(current).first_column = (current).last_column; \
		}                                                       \
	} while (0)

struct parse_context {
	struct arena *arena;
	struct source *source;
	struct diag *diag;
	struct ast_policy *policy;
	struct ast_declaration **declarations_end;
	struct ast_rule **rules_end;

	int brace_depth; /* a newline inside { } is a blank */

	int nr_tokens; /* of the statement so far */
	struct location first_location; /* of its first token */
	const char *name; /* the last token if it is a name, else NULL */
	const char *name_before; /* the same of the token before */
};

struct ast_range_list {
	struct ast_range *first;
	struct ast_range *last;
};

struct ast_name_list {
	struct ast_name *first;
	struct ast_name *last;
};

struct ast_term_list {
	struct ast_term *first;
	struct ast_term *last;
};

#endif
