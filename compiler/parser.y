/* SPDX-License-Identifier: GPL-2.0-only */
%require "3.7"
%expect 0
%locations
%define api.pure full
%define api.prefix {policy_}
%define api.token.prefix {TOKEN_}
%define api.value.type union
%define api.location.type {struct location}
%define parse.error custom
%define parse.lac full
%initial-action { @$ = (struct location){ 1, 1, 1, 1, NULL }; }
%param { void *scanner }
%parse-param { struct parse_context *parse }

%code requires {
	#include "parse_context.h"
}

%code {
	#include <ctype.h>
	#include <string.h>

	#include "lexer.h"
	#include "names.h"
	#include "parse.h"
	#include "ublkpol_object.h"

	int policy_lex(POLICY_STYPE *value, POLICY_LTYPE *location, void *scanner);
	static void policy_error(POLICY_LTYPE *location, void *scanner,
				 struct parse_context *parse, const char *text);

	static struct ast_declaration *parse_declaration(struct parse_context *parse,
							 struct location location,
							 enum ast_declaration_kind kind);
	static struct ast_term *parse_term(struct parse_context *parse, struct location location,
					   enum ast_term_kind kind);
	static struct ast_action *parse_action(struct parse_context *parse,
					       struct location location,
					       enum ast_action_kind kind, struct ast_name *names);

	/* Appends to a list that is kept as { first, last } */
	#define LIST_APPEND(list, item)                                                        \
		do {                                                                           \
			if ((list).last)                                                       \
				(list).last->next = (item);                                    \
			else                                                                   \
				(list).first = (item);                                         \
			(list).last = (item);                                                  \
		} while (0)
}

%token END_OF_LINE	"end of line"
%token ARROW		"->"
%token DASH		"-"
%token COMMA		","
%token COLON		":"
%token EQUALS		"="
%token AT		"@"
%token LBRACE		"{"
%token RBRACE		"}"
%token LBA		"LBA"
%token READ		"read"
%token WRITE		"write"
%token FLUSH		"flush"
%token DISCARD		"discard"
%token WRITE_ZEROES	"write-zeroes"
%token DEFAULT		"default"
%token END		"end"
%token STRIPE		"stripe"
%token ERROR		"error"
%token BACKEND		"backend"
%token SIZE		"size"
%token BLOCK		"block"

%token <struct ast_name *>	NAME		"a name"
%token <struct ast_quantity>	QUANTITY	"a number"
%token <const char *>		STRING		"a string"

%type <struct ast_name *>	label
%type <struct ast_term_list>	terms
%type <struct ast_term *>	term
%type <struct ast_range_list>	ranges
%type <struct ast_range *>	range
%type <struct ast_quantity>	bound
%type <unsigned int>		ops op
%type <struct ast_action *>	action target
%type <struct ast_name_list>	legs
%type <struct ast_rule *>	match

%%

policy:
	%empty
|	policy line
;

line:
	END_OF_LINE
|	declaration END_OF_LINE
|	rule END_OF_LINE
|	error END_OF_LINE		{ yyerrok; }
;

declaration:
	BACKEND NAME			{
		parse_declaration(parse, @$, AST_DECLARE_BACKEND)->name = $NAME;
	}
|	BACKEND NAME "=" STRING		{
		struct ast_declaration *declaration =
			parse_declaration(parse, @$, AST_DECLARE_BACKEND);

		declaration->name = $NAME;
		declaration->path = $STRING;
	}
|	SIZE QUANTITY			{
		parse_declaration(parse, @$, AST_DECLARE_SIZE)->quantity = $QUANTITY;
	}
|	BLOCK QUANTITY			{
		parse_declaration(parse, @$, AST_DECLARE_BLOCK)->quantity = $QUANTITY;
	}
;

rule:
	label match ARROW action	{
		struct ast_rule *rule = $match;

		rule->location = @$;
		if (!$label) {
			rule->location.first_line = @match.first_line;
			rule->location.first_column = @match.first_column;
		}
		rule->label = $label;
		rule->action = $action;
		*parse->rules_end = rule;
		parse->rules_end = &rule->next;
	}
;

label:
	%empty				{ $$ = NULL; }
|	NAME ":"			{ $$ = $NAME; }
;

match:
	DEFAULT				{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->is_default = true;
	}
|	terms				{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->terms = $terms.first;
	}
;

terms:
	term				{
		$$ = (struct ast_term_list){ 0 };
		LIST_APPEND($$, $term);
	}
|	terms[before] term		{
		$$ = $before;
		LIST_APPEND($$, $term);
	}
;

term:
	LBA ranges			{
		$$ = parse_term(parse, @$, AST_TERM_LBA);
		$$->ranges = $ranges.first;
	}
|	ops				{
		$$ = parse_term(parse, @$, AST_TERM_OPS);
		$$->ops = $ops;
	}
;

ranges:
	range				{
		$$ = (struct ast_range_list){ 0 };
		LIST_APPEND($$, $range);
	}
|	ranges[before] "," range	{
		$$ = $before;
		LIST_APPEND($$, $range);
	}
;

range:
	bound[first] "-" bound[last]	{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->location = @$;
		$$->first = $first;
		$$->last = $last;
	}
;

bound:
	QUANTITY			{ $$ = $QUANTITY; }
|	END				{
		$$ = (struct ast_quantity){ .location = @$, .unit = AST_UNIT_END };
	}
;

ops:
	op
|	ops[before] "," op		{ $$ = $before | $op; }
;

op:
	READ				{ $$ = UBLKPOL_OP_READ; }
|	WRITE				{ $$ = UBLKPOL_OP_WRITE; }
|	FLUSH				{ $$ = UBLKPOL_OP_FLUSH; }
|	DISCARD				{ $$ = UBLKPOL_OP_DISCARD; }
|	WRITE_ZEROES			{ $$ = UBLKPOL_OP_WRITE_ZEROES; }
;

action:
	target
|	target "@" QUANTITY		{
		$$ = $target;
		$$->location = @$;
		$$->has_at = true;
		$$->at = $QUANTITY;
	}
|	ERROR NAME			{
		$$ = parse_action(parse, @$, AST_ACTION_ERROR, $NAME);
	}
;

target:
	NAME				{
		$$ = parse_action(parse, @$, AST_ACTION_BACKEND, $NAME);
	}
|	STRIPE QUANTITY "{" legs "}"	{
		$$ = parse_action(parse, @$, AST_ACTION_STRIPE, $legs.first);
		$$->chunk = $QUANTITY;
	}
;

legs:
	NAME				{
		$$ = (struct ast_name_list){ 0 };
		LIST_APPEND($$, $NAME);
	}
|	legs[before] NAME		{
		$$ = $before;
		LIST_APPEND($$, $NAME);
	}
;

%%

int scan_token(POLICY_STYPE *value, POLICY_LTYPE *location, void *scanner);

static struct ast_declaration *parse_declaration(struct parse_context *parse,
						 struct location location,
						 enum ast_declaration_kind kind)
{
	struct ast_declaration *declaration = arena_alloc(parse->arena, sizeof(*declaration));

	declaration->location = location;
	declaration->kind = kind;
	*parse->declarations_end = declaration;
	parse->declarations_end = &declaration->next;
	return declaration;
}

static struct ast_term *parse_term(struct parse_context *parse, struct location location,
				   enum ast_term_kind kind)
{
	struct ast_term *term = arena_alloc(parse->arena, sizeof(*term));

	term->location = location;
	term->kind = kind;
	return term;
}

static struct ast_action *parse_action(struct parse_context *parse, struct location location,
				       enum ast_action_kind kind, struct ast_name *names)
{
	struct ast_action *action = arena_alloc(parse->arena, sizeof(*action));

	action->location = location;
	action->kind = kind;
	action->names = names;
	return action;
}

/* Remembers what messages need to know about the statement so far */
int policy_lex(POLICY_STYPE *value, POLICY_LTYPE *location, void *scanner)
{
	struct parse_context *parse = scan_get_extra(scanner);
	int kind = scan_token(value, location, scanner);

	if (kind == TOKEN_END_OF_LINE) {
		parse->nr_tokens = 0;
		return kind;
	}
	/* The rest of the statement is skipped: its newline must end it */
	if (kind == TOKEN_POLICY_error)
		parse->brace_depth = 0;
	if (!parse->nr_tokens++)
		parse->first_location = *location;
	parse->name_before = parse->name;
	parse->name = kind == TOKEN_NAME ? value->TOKEN_NAME->text : NULL;
	return kind;
}

/* Only for lack of memory: syntax errors go to yyreport_syntax_error() */
static void policy_error(POLICY_LTYPE *location, void *scanner, struct parse_context *parse,
			 const char *text)
{
	(void)scanner;
	diag_error(parse->diag, *location, NULL, "%s", text);
}

static bool parse_is_expected(const yysymbol_kind_t *expected, int count, yysymbol_kind_t kind)
{
	for (int i = 0; i < count; i++) {
		if (expected[i] == kind)
			return true;
	}
	return false;
}

/* The keyword that may stand here and that @word resembles */
static const char *parse_closest_keyword(const yysymbol_kind_t *expected, int count,
					 const char *word)
{
	const char *candidates[YYNTOKENS];
	int nr = 0;

	for (int i = 0; i < count; i++) {
		const char *name = yysymbol_name(expected[i]);

		if (isalpha((unsigned char)name[0]) && !strchr(name, ' '))
			candidates[nr++] = name;
	}
	return names_closest(word, candidates, nr);
}

static const char *parse_join_expected(struct parse_context *parse,
				       const yysymbol_kind_t *expected, int count)
{
	const char *joined = "";

	for (int i = 0; i < count; i++) {
		const char *name = yysymbol_name(expected[i]);
		const char *quote = strchr(name, ' ') ? "" : "'";

		joined = arena_printf(parse->arena, "%s%s%s%s%s", joined,
				      !i ? "" : i == count - 1 ? " or " : ", ", quote, name, quote);
	}
	return joined;
}

static const char *parse_expectation(struct parse_context *parse, const yysymbol_kind_t *expected,
				     int count)
{
	if (count <= 4)
		return arena_printf(parse->arena, ", expected %s",
				    parse_join_expected(parse, expected, count));
	if (parse_is_expected(expected, count, YYSYMBOL_ARROW))
		return ", expected '->' or another condition";
	return "";
}

static const char *parse_hint(struct parse_context *parse, yysymbol_kind_t unexpected,
			      const yysymbol_kind_t *expected, int count, const char *word)
{
	static const char *const stripe = "stripe";
	const char *keyword;

	switch (unexpected) {
	case YYSYMBOL_NAME:
		keyword = parse_closest_keyword(expected, count, word);
		return keyword ? arena_printf(parse->arena, "did you mean '%s'?", keyword) : NULL;
	case YYSYMBOL_ARROW:
		if (parse_is_expected(expected, count, YYSYMBOL_DEFAULT))
			return "'default -> ...' matches everything";
		return NULL;
	case YYSYMBOL_COMMA:
		if (parse_is_expected(expected, count, YYSYMBOL_NAME))
			return "backends in { } are separated by blanks";
		return NULL;
	case YYSYMBOL_QUANTITY:
		if (parse_is_expected(expected, count, YYSYMBOL_LBA))
			return "ranges start with the word LBA";
		if (parse->name_before && names_closest(parse->name_before, &stripe, 1))
			return "did you mean 'stripe'?";
		return NULL;
	default:
		return NULL;
	}
}

/* A statement that begins with a name is a label or a misspelled keyword */
static bool parse_report_first_word(struct parse_context *parse, const yysymbol_kind_t *expected,
				    int count)
{
	static const char *const first_words[] = {
		"LBA", "read", "write", "flush", "discard", "write-zeroes", "default",
		"backend", "size", "block",
	};
	const char *word;
	const char *keyword;

	if (count != 1 || expected[0] != YYSYMBOL_COLON)
		return false;

	word = source_text(parse->source, parse->arena, parse->first_location);
	keyword = names_closest(word, first_words, sizeof(first_words) / sizeof(first_words[0]));
	diag_error(parse->diag, parse->first_location,
		   keyword ? arena_printf(parse->arena, "did you mean '%s'?", keyword) :
			     "a rule is '[label:] condition -> action'",
		   "unknown word '%s'", word);
	return true;
}

static int yyreport_syntax_error(const yypcontext_t *context, void *scanner,
				 struct parse_context *parse)
{
	struct location location = *yypcontext_location(context);
	yysymbol_kind_t unexpected = yypcontext_token(context);
	yysymbol_kind_t expected[YYNTOKENS];
	const char *found = "end of file";
	const char *word = "";
	int count;

	(void)scanner;
	count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
	parse->brace_depth = 0;	/* as in policy_lex() */
	if (parse_report_first_word(parse, expected, count))
		return 0;

	if (unexpected == YYSYMBOL_END_OF_LINE) {
		found = "end of line";
	} else if (unexpected != YYSYMBOL_YYEOF) {
		word = source_text(parse->source, parse->arena, location);
		found = arena_printf(parse->arena, "'%s'", word);
	}
	if (unexpected == YYSYMBOL_END_OF_LINE && location.last_line > location.first_line) {
		location.last_line = location.first_line;
		location.last_column = location.first_column + 1;
	}

	diag_error(parse->diag, location, parse_hint(parse, unexpected, expected, count, word),
		   "unexpected %s%s", found, parse_expectation(parse, expected, count));
	return 0;
}

void parse_policy(struct ast_policy *policy, struct source *source, struct arena *arena,
		  struct diag *diag)
{
	struct parse_context parse = {
		.arena = arena,
		.source = source,
		.diag = diag,
		.policy = policy,
		.declarations_end = &policy->declarations,
		.rules_end = &policy->rules,
	};
	YY_BUFFER_STATE buffer;
	yyscan_t scanner;

	if (scan_lex_init_extra(&parse, &scanner)) {
		diag_error(diag, (struct location){ 0 }, NULL, "out of memory");
		return;
	}
	buffer = scan__scan_buffer(source->text, source->length + 2, scanner);
	policy_parse(scanner, &parse);
	scan__delete_buffer(buffer, scanner);
	scan_lex_destroy(scanner);
}
