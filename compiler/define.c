// SPDX-License-Identifier: GPL-2.0-only
/*
 * "NAME=VALUE" of the command line is read as the declaration that it stands for,
 * so it has the language's own numbers and messages.
 */
#include <string.h>

#include "define.h"
#include "names.h"
#include "parse.h"

#define DEFINE_KEYWORD "param "
#define DEFINE_SECTOR  512U

/* The one declaration that the text is; NULL if it is something else */
static struct ast_declaration *define_parse(const char *text, unsigned int order,
					    struct arena *arena, struct diag *diag)
{
	struct source *source = arena_alloc(arena, sizeof(*source));
	const struct location all = { 1, 1, 1, 1, source };
	struct ast_policy parsed = { 0 };
	int nr_errors = diag->nr_errors;

	source_from_text(source, arena, "-D", arena_printf(arena, DEFINE_KEYWORD "%s", text));
	source->order = order;
	parse_policy(&parsed, source, arena, diag);
	if (diag->nr_errors > nr_errors)
		return NULL;
	if (!parsed.rules && parsed.declarations && !parsed.declarations->next &&
	    parsed.declarations->kind == AST_DECLARE_PARAM)
		return parsed.declarations;
	diag_error(diag, all, NULL, "this is more than one parameter");
	return NULL;
}

static const char *define_hint(const struct ast_policy *policy, const char *name,
			       struct arena *arena)
{
	const char **candidates, *closest;
	size_t count = 0;

	for (const struct ast_declaration *d = policy->declarations; d; d = d->next)
		count += d->kind == AST_DECLARE_PARAM;
	candidates = arena_alloc(arena, (count + 1) * sizeof(*candidates));
	count = 0;
	for (const struct ast_declaration *d = policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_PARAM)
			candidates[count++] = d->name->text;
	}
	closest = names_closest(name, candidates, count);
	return closest ? arena_printf(arena, "did you mean '%s'?", closest) : NULL;
}

/* A parameter keeps its unit; a bare number of a size counts sectors */
static void define_value(struct ast_declaration *param, const struct ast_declaration *given,
			 struct diag *diag)
{
	bool is_sectors =
		param->quantity.unit == AST_UNIT_BYTES && given->quantity.unit == AST_UNIT_NUMBER;

	if (given->quantity.unit != param->quantity.unit && !is_sectors) {
		diag_error(diag, given->quantity.location, NULL,
			   "parameter '%s' keeps its unit, which is another one",
			   given->name->text);
		diag_also(diag, param->location, "declared here");
		return;
	}
	param->quantity = given->quantity;
	if (is_sectors) {
		param->quantity.unit = AST_UNIT_BYTES;
		param->quantity.factor = DEFINE_SECTOR;
	}
}

void define_param(struct ast_policy *policy, const char *text, unsigned int order,
		  struct arena *arena, struct diag *diag)
{
	const struct ast_declaration *given = define_parse(text, order, arena, diag);

	if (!given)
		return;
	for (struct ast_declaration *d = policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_PARAM && !strcmp(d->name->text, given->name->text)) {
			define_value(d, given, diag);
			return;
		}
	}
	diag_error(diag, given->name->location, define_hint(policy, given->name->text, arena),
		   "the policy has no parameter '%s'", given->name->text);
}
