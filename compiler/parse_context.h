/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_PARSE_CONTEXT_H
#define COMPILER_PARSE_CONTEXT_H

/* Between lexer.l and parser.y only */
#include "ast.h"
#include "diag.h"

#define PARSE_MAX_INCLUDES 16 /* files inside files */
#define PARSE_MAX_FILES	   1000 /* one that includes itself by another name has no end */

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
	struct source *source; /* the file that is being read */
	struct diag *diag;
	struct ast_policy *policy;
	struct ast_declaration **declarations_end;
	struct ast_rule **rules_end;

	int brace_depth; /* a newline inside { } or ( ) is a blank */

	int nr_tokens; /* of the statement so far */
	struct location first_location; /* of its first token */
	const char *name; /* the last token if it is a name, else NULL */
	const char *name_before; /* the same of the token before */

	bool is_alone; /* other files are not read */

	/* The files that include this one, and where they go on */
	struct {
		struct source *source;
		void *buffer; /* of the scanner */
		int line;
		int column;
	} includes[PARSE_MAX_INCLUDES];
	int nr_includes; /* that are open */
	unsigned int nr_files; /* all that were included so far */
};

/*
 * Lists while they grow: a semantic value of the parser is small, so that the
 * parser's stack stays small.
 */
struct ast_range_list {
	struct ast_range *first;
	struct ast_range *last;
};

struct ast_name_list {
	struct ast_name *first;
	struct ast_name *last;
};

struct ast_condition_list {
	struct ast_condition *first;
	struct ast_condition *last;
};

struct ast_span_list {
	struct ast_span *first;
	struct ast_span *last;
};

struct ast_modifier_list {
	struct ast_modifier *first;
	struct ast_modifier *last;
};

/**
 * lex_include() - go on with the text of another file
 * @path: as written; relative to the file that includes it
 * @location: of @path, for messages
 * @end: the parser's place in the text, which moves to the other file
 */
void lex_include(struct parse_context *parse, void *scanner, const char *path,
		 struct location location, struct location *end);

#endif
