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
%initial-action {
	@$ = (struct location){ 1, 1, 1, 1, parse->source->order ? parse->source : NULL };
}
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
	#include <linux/ublk_bpf.h>
	#include <linux/ublk_cmd.h>

	#include "ublkpol_object.h"

	int policy_lex(POLICY_STYPE *value, POLICY_LTYPE *location, void *scanner);
	static void policy_error(POLICY_LTYPE *location, void *scanner,
				 struct parse_context *parse, const char *text);

	static struct ast_declaration *parse_declaration(struct parse_context *parse,
							 struct location location,
							 enum ast_declaration_kind kind);
	static struct ast_condition *parse_condition(struct parse_context *parse,
						     struct location location,
						     enum ast_condition_kind kind);
	static struct ast_action *parse_action(struct parse_context *parse,
					       struct location location,
					       enum ast_action_kind kind, struct ast_name *names);
	static struct ast_modifier *parse_modifier(struct parse_context *parse,
						   struct location location,
						   enum ast_modifier_kind kind);
	static enum ast_prio_class parse_prio_class(struct parse_context *parse,
						    const struct ast_name *name);
	static void parse_set_at(struct parse_context *parse, struct ast_action *action,
				 struct location location, const struct ast_quantity *at);
	static void parse_set_read(struct parse_context *parse, struct ast_action *action,
				   struct location location, enum ast_read_choice choice,
				   const struct ast_quantity *chunk);
	static void parse_set_degrade(struct parse_context *parse, struct ast_action *action,
				      struct location location);

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
%token LPAREN		"("
%token RPAREN		")"
%token EQUAL		"=="
%token NOT_EQUAL	"!="
%token LESS		"<"
%token AT_MOST		"<="
%token GREATER		">"
%token AT_LEAST		">="
%token LBA		"LBA"
%token READ		"read"
%token WRITE		"write"
%token FLUSH		"flush"
%token DISCARD		"discard"
%token WRITE_ZEROES	"write-zeroes"
%token ALIGNED		"aligned"
%token FUA		"fua"
%token META		"meta"
%token SYNC		"sync"
%token READAHEAD	"readahead"
%token SWAP		"swap"
%token NOUNMAP		"nounmap"
%token IDLE		"idle"
%token FAILFAST		"failfast"
%token PRIO		"prio"
%token QUEUE		"queue"
%token CPU		"cpu"
%token CHANCE		"chance"
%token EVERY		"every"
%token NOT		"not"
%token OR		"or"
%token DEFAULT		"default"
%token END		"end"
%token STRIPE		"stripe"
%token CONCAT		"concat"
%token MIRROR		"mirror"
%token FIRST		"first"
%token ROUND_ROBIN	"round-robin"
%token BY		"by"
%token DEGRADE		"degrade"
%token HASH		"hash"
%token ZERO		"zero"
%token DROP		"drop"
%token ERROR		"error"
%token USER		"user"
%token COUNT		"count"
%token TRACE		"trace"
%token DELAY		"delay"
%token LIMIT		"limit"
%token BACKEND		"backend"
%token SIZE		"size"
%token BLOCK		"block"
%token DECLARE_PARAM	"param"
%token SET		"set"
%token FROM		"from"
%token INCLUDE		"include"
%token LANGUAGE		"language"

%token <struct ast_name *>	NAME		"a name"
%token <struct ast_name *>	PARAM		"a parameter"
%token <struct ast_quantity>	QUANTITY	"a number"
%token <const char *>		STRING		"a string"

%type <struct ast_name *>	weighted_leg
%type <struct ast_condition *>	condition
%type <struct ast_condition_list> any all
%type <struct ast_condition *>	operand term
%type <struct ast_range_list>	lba_items set_items
%type <struct ast_range *>	lba_item range
%type <struct ast_quantity>	bound
%type <struct ast_value>	value
%type <enum ast_comparison>	comparison prio_comparison
%type <enum ast_prio_class>	prio_class
%type <unsigned int>		ops op flag
%type <struct ast_span_list>	spans
%type <struct ast_span *>	span
%type <struct ast_action *>	action target
%type <struct ast_name_list>	legs weighted_legs
%type <struct ast_modifier_list> modifiers
%type <struct ast_modifier *>	modifier
%type <struct ast_rule *>	unlabelled match

%%

policy:
	%empty
|	policy line
;

line:
	END_OF_LINE
|	declaration END_OF_LINE
|	INCLUDE STRING END_OF_LINE	{
		struct ast_declaration *declaration =
			parse_declaration(parse, @STRING, AST_DECLARE_INCLUDE);

		declaration->location.first_column = @INCLUDE.first_column;
		declaration->path = $STRING;
		declaration->path_location = @STRING;
		if (!parse->is_alone)
			lex_include(parse, scanner, $STRING, @STRING, &yylloc);
	}
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
		declaration->path_location = @STRING;
	}
|	SIZE QUANTITY			{
		parse_declaration(parse, @$, AST_DECLARE_SIZE)->quantity = $QUANTITY;
	}
|	BLOCK QUANTITY			{
		parse_declaration(parse, @$, AST_DECLARE_BLOCK)->quantity = $QUANTITY;
	}
|	DECLARE_PARAM NAME "=" QUANTITY	{
		struct ast_declaration *declaration =
			parse_declaration(parse, @$, AST_DECLARE_PARAM);

		declaration->name = $NAME;
		declaration->quantity = $QUANTITY;
	}
|	SET NAME "{" set_items "}"	{
		struct ast_declaration *declaration =
			parse_declaration(parse, @$, AST_DECLARE_SET);

		declaration->name = $NAME;
		declaration->ranges = $set_items.first;
	}
|	SET NAME FROM STRING		{
		struct ast_declaration *declaration =
			parse_declaration(parse, @$, AST_DECLARE_SET);

		declaration->name = $NAME;
		declaration->path = $STRING;
		declaration->path_location = @STRING;
	}
|	LANGUAGE QUANTITY		{
		parse_declaration(parse, @$, AST_DECLARE_LANGUAGE)->quantity = $QUANTITY;
	}
;

set_items:
	range				{
		$$ = (struct ast_range_list){ 0 };
		LIST_APPEND($$, $range);
	}
|	set_items[before] range		{
		$$ = $before;
		LIST_APPEND($$, $range);
	}
|	set_items[before] "," range	{
		$$ = $before;
		LIST_APPEND($$, $range);
	}
;

rule:
	unlabelled			{
		*parse->rules_end = $unlabelled;
		parse->rules_end = &$unlabelled->next;
	}
|	NAME ":" unlabelled		{
		struct ast_rule *rule = $unlabelled;

		rule->location.first_line = @NAME.first_line;
		rule->location.first_column = @NAME.first_column;
		rule->label = $NAME;
		*parse->rules_end = rule;
		parse->rules_end = &rule->next;
	}
;

unlabelled:
	match ARROW action modifiers	{
		$$ = $match;
		$$->location = @$;
		$$->action = $action;
		$$->modifiers = $modifiers.first;
	}
;

match:
	DEFAULT				{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->is_default = true;
	}
|	condition			{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->condition = $condition;
	}
;

condition:
	any				{
		$$ = $any.first;
		if ($any.first->next) {
			$$ = parse_condition(parse, @$, AST_CONDITION_OR);
			$$->operands = $any.first;
		}
	}
;

any:
	all				{
		struct ast_condition *condition = $all.first;

		$$ = (struct ast_condition_list){ 0 };
		if ($all.first->next) {
			condition = parse_condition(parse, @$, AST_CONDITION_AND);
			condition->operands = $all.first;
		}
		LIST_APPEND($$, condition);
	}
|	any[before] OR all		{
		struct ast_condition *condition = $all.first;

		$$ = $before;
		if ($all.first->next) {
			condition = parse_condition(parse, @all, AST_CONDITION_AND);
			condition->operands = $all.first;
		}
		LIST_APPEND($$, condition);
	}
;

all:
	operand				{
		$$ = (struct ast_condition_list){ 0 };
		LIST_APPEND($$, $operand);
	}
|	all[before] operand		{
		$$ = $before;
		LIST_APPEND($$, $operand);
	}
;

operand:
	term
|	NOT operand[inner]		{
		$$ = parse_condition(parse, @$, AST_CONDITION_NOT);
		$$->operands = $inner;
	}
|	"(" condition ")"		{ $$ = $condition; }
;

term:
	LBA lba_items			{
		$$ = parse_condition(parse, @$, AST_CONDITION_LBA);
		$$->ranges = $lba_items.first;
	}
|	ops				{
		$$ = parse_condition(parse, @$, AST_CONDITION_OPS);
		$$->ops = $ops;
	}
|	SIZE comparison value		{
		$$ = parse_condition(parse, @$, AST_CONDITION_SIZE);
		$$->comparison = $comparison;
		$$->value = $value;
	}
|	ALIGNED value			{
		$$ = parse_condition(parse, @$, AST_CONDITION_ALIGNED);
		$$->value = $value;
	}
|	flag				{
		$$ = parse_condition(parse, @$, AST_CONDITION_FLAG);
		$$->flags = $flag;
	}
|	PRIO prio_comparison prio_class	{
		$$ = parse_condition(parse, @$, AST_CONDITION_PRIO);
		$$->comparison = $prio_comparison;
		$$->prio_class = $prio_class;
	}
|	PRIO prio_comparison prio_class value {
		$$ = parse_condition(parse, @$, AST_CONDITION_PRIO);
		$$->comparison = $prio_comparison;
		$$->prio_class = $prio_class;
		$$->has_level = true;
		$$->value = $value;
	}
|	QUEUE spans			{
		$$ = parse_condition(parse, @$, AST_CONDITION_QUEUE);
		$$->spans = $spans.first;
	}
|	CPU spans			{
		$$ = parse_condition(parse, @$, AST_CONDITION_CPU);
		$$->spans = $spans.first;
	}
|	CHANCE value			{
		$$ = parse_condition(parse, @$, AST_CONDITION_CHANCE);
		$$->value = $value;
	}
|	EVERY value			{
		$$ = parse_condition(parse, @$, AST_CONDITION_EVERY);
		$$->value = $value;
	}
;

lba_items:
	lba_item			{
		$$ = (struct ast_range_list){ 0 };
		LIST_APPEND($$, $lba_item);
	}
|	lba_items[before] "," lba_item	{
		$$ = $before;
		LIST_APPEND($$, $lba_item);
	}
;

lba_item:
	range
|	NAME				{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->location = @$;
		$$->set = $NAME;
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

value:
	QUANTITY			{
		$$ = (struct ast_value){ .location = @$, .quantity = $QUANTITY };
	}
|	PARAM				{
		$$ = (struct ast_value){ .location = @$, .param = $PARAM };
	}
;

comparison:
	"=="				{ $$ = AST_EQUAL; }
|	"!="				{ $$ = AST_NOT_EQUAL; }
|	"<"				{ $$ = AST_LESS; }
|	"<="				{ $$ = AST_AT_MOST; }
|	">"				{ $$ = AST_GREATER; }
|	">="				{ $$ = AST_AT_LEAST; }
;

prio_comparison:
	%empty				{ $$ = AST_EQUAL; }
|	comparison
;

prio_class:
	NAME				{ $$ = parse_prio_class(parse, $NAME); }
|	IDLE				{ $$ = AST_PRIO_IDLE; }
;

spans:
	span				{
		$$ = (struct ast_span_list){ 0 };
		LIST_APPEND($$, $span);
	}
|	spans[before] "," span		{
		$$ = $before;
		LIST_APPEND($$, $span);
	}
;

span:
	value				{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->location = @$;
		$$->first = $value;
		$$->last = $value;
	}
|	value[first] "-" value[last]	{
		$$ = arena_alloc(parse->arena, sizeof(*$$));
		$$->location = @$;
		$$->first = $first;
		$$->last = $last;
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

flag:
	FUA				{ $$ = UBLK_IO_F_FUA; }
|	META				{ $$ = UBLK_IO_F_META; }
|	SYNC				{ $$ = UBLK_IO_F_SYNC; }
|	READAHEAD			{ $$ = UBLK_IO_F_RAHEAD; }
|	SWAP				{ $$ = UBLK_IO_F_SWAP; }
|	NOUNMAP				{ $$ = UBLK_IO_F_NOUNMAP; }
|	IDLE				{ $$ = UBLK_IO_F_IDLE; }
|	FAILFAST			{
		$$ = UBLK_IO_F_FAILFAST_DEV | UBLK_IO_F_FAILFAST_TRANSPORT |
		     UBLK_IO_F_FAILFAST_DRIVER;
	}
;

action:
	target
|	action[before] "@" QUANTITY	{
		$$ = $before;
		parse_set_at(parse, $$, (struct location){
			@2.first_line, @2.first_column, @3.last_line, @3.last_column, @2.source
		}, &$QUANTITY);
		$$->location = @$;
	}
|	action[before] READ FIRST	{
		$$ = $before;
		parse_set_read(parse, $$, @FIRST, AST_READ_FIRST, NULL);
		$$->location = @$;
	}
|	action[before] READ ROUND_ROBIN	{
		$$ = $before;
		parse_set_read(parse, $$, @ROUND_ROBIN, AST_READ_ROUND_ROBIN, NULL);
		$$->location = @$;
	}
|	action[before] READ BY LBA QUANTITY {
		$$ = $before;
		parse_set_read(parse, $$, @BY, AST_READ_BY_LBA, &$QUANTITY);
		$$->location = @$;
	}
|	action[before] DEGRADE		{
		$$ = $before;
		parse_set_degrade(parse, $$, @DEGRADE);
		$$->location = @$;
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
|	CONCAT "{" legs "}"		{
		$$ = parse_action(parse, @$, AST_ACTION_CONCAT, $legs.first);
	}
|	MIRROR "{" legs "}"		{
		$$ = parse_action(parse, @$, AST_ACTION_MIRROR, $legs.first);
	}
|	HASH QUANTITY "{" weighted_legs "}" {
		$$ = parse_action(parse, @$, AST_ACTION_HASH, $weighted_legs.first);
		$$->chunk = $QUANTITY;
	}
|	ZERO				{ $$ = parse_action(parse, @$, AST_ACTION_ZERO, NULL); }
|	DROP				{ $$ = parse_action(parse, @$, AST_ACTION_DROP, NULL); }
|	USER				{ $$ = parse_action(parse, @$, AST_ACTION_USER, NULL); }
|	ERROR NAME			{
		$$ = parse_action(parse, @$, AST_ACTION_ERROR, $NAME);
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

weighted_legs:
	weighted_leg			{
		$$ = (struct ast_name_list){ 0 };
		LIST_APPEND($$, $weighted_leg);
	}
|	weighted_legs[before] weighted_leg {
		$$ = $before;
		LIST_APPEND($$, $weighted_leg);
	}
|	weighted_legs[before] "," weighted_leg {
		$$ = $before;
		LIST_APPEND($$, $weighted_leg);
	}
;

weighted_leg:
	NAME
|	NAME QUANTITY			{
		$$ = $NAME;
		$$->has_weight = true;
		$$->weight = $QUANTITY;
	}
;

modifiers:
	%empty				{ $$ = (struct ast_modifier_list){ 0 }; }
|	modifiers[before] modifier	{
		$$ = $before;
		LIST_APPEND($$, $modifier);
	}
;

modifier:
	COUNT NAME			{
		$$ = parse_modifier(parse, @$, AST_MODIFIER_COUNT);
		$$->name = $NAME;
	}
|	TRACE				{ $$ = parse_modifier(parse, @$, AST_MODIFIER_TRACE); }
|	DELAY value			{
		$$ = parse_modifier(parse, @$, AST_MODIFIER_DELAY);
		$$->value = $value;
	}
|	LIMIT value			{
		$$ = parse_modifier(parse, @$, AST_MODIFIER_LIMIT);
		$$->value = $value;
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

static struct ast_condition *parse_condition(struct parse_context *parse,
					     struct location location,
					     enum ast_condition_kind kind)
{
	struct ast_condition *condition = arena_alloc(parse->arena, sizeof(*condition));

	condition->location = location;
	condition->kind = kind;
	return condition;
}

static struct ast_modifier *parse_modifier(struct parse_context *parse, struct location location,
					   enum ast_modifier_kind kind)
{
	struct ast_modifier *modifier = arena_alloc(parse->arena, sizeof(*modifier));

	modifier->location = location;
	modifier->kind = kind;
	return modifier;
}

static enum ast_prio_class parse_prio_class(struct parse_context *parse,
					    const struct ast_name *name)
{
	if (!strcmp(name->text, "rt"))
		return AST_PRIO_RT;
	if (!strcmp(name->text, "be"))
		return AST_PRIO_BE;
	diag_error(parse->diag, name->location, "the classes are rt, be and idle, as in ionice(1)",
		   "unknown priority class '%s'", name->text);
	return AST_PRIO_UNKNOWN;
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

/* --- what follows an action --- */

static void parse_set_at(struct parse_context *parse, struct ast_action *action,
			 struct location location, const struct ast_quantity *at)
{
	if (action->has_at)
		diag_error(parse->diag, location, NULL, "a second offset");
	action->has_at = true;
	action->at = *at;
	action->at_location = location;
}

static void parse_set_read(struct parse_context *parse, struct ast_action *action,
			   struct location location, enum ast_read_choice choice,
			   const struct ast_quantity *chunk)
{
	if (action->has_read_choice)
		diag_error(parse->diag, location, NULL, "a second way to choose a leg for reads");
	action->has_read_choice = true;
	action->read_choice = choice;
	action->read_location = location;
	if (chunk)
		action->read_chunk = *chunk;
}

static void parse_set_degrade(struct parse_context *parse, struct ast_action *action,
			      struct location location)
{
	if (action->is_degrade)
		diag_error(parse->diag, location, NULL, "a second 'degrade'");
	action->is_degrade = true;
	action->degrade_location = location;
}

/* --- tokens and messages --- */

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
	if (parse_is_expected(expected, count, YYSYMBOL_COUNT))
		return ", expected the end of the line, '@' or a modifier such as 'count'";
	if (parse_is_expected(expected, count, YYSYMBOL_MIRROR))
		return ", expected an action: a backend's name, 'stripe', 'error' ...";
	if (parse_is_expected(expected, count, YYSYMBOL_AT_MOST))
		return ", expected a number, or a comparison such as '<='";
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
	case YYSYMBOL_EQUALS:
		if (!parse_is_expected(expected, count, YYSYMBOL_EQUAL))
			return NULL;
		return parse_is_expected(expected, count, YYSYMBOL_QUANTITY)
			       ? "a comparison is written '=='; 'size 10GiB' declares the size" :
			       "a comparison is written '=='";
	case YYSYMBOL_STRIPE:
	case YYSYMBOL_CONCAT:
	case YYSYMBOL_MIRROR:
	case YYSYMBOL_HASH:
		return parse_is_expected(expected, count, YYSYMBOL_NAME) &&
				       !parse_is_expected(expected, count, YYSYMBOL_ZERO)
			       ? "the legs of a composite are backends" : NULL;
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
		"LBA",	   "read",    "write",	 "flush",     "discard", "write-zeroes", "default",
		"backend", "size",    "block",	 "param",     "set",	 "include",	 "language",
		"aligned", "fua",     "meta",	 "sync",      "swap",	 "readahead",	 "nounmap",
		"idle",	   "failfast", "prio",	 "queue",     "cpu",	 "chance",	 "every",
		"not",
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

static void parse_text(struct ast_policy *policy, struct source *source, struct arena *arena,
		       struct diag *diag, bool is_alone)
{
	struct parse_context parse = {
		.is_alone = is_alone,
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

void parse_policy(struct ast_policy *policy, struct source *source, struct arena *arena,
		  struct diag *diag)
{
	parse_text(policy, source, arena, diag, false);
}

void parse_policy_alone(struct ast_policy *policy, struct source *source, struct arena *arena,
			struct diag *diag)
{
	parse_text(policy, source, arena, diag, true);
}
