// SPDX-License-Identifier: GPL-2.0-only
/* Sets and parameters */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "check_internal.h"
#include "names.h"
#include "range_text.h"

/* --- sets --- */

static void check_read_set(struct check *check, struct ast_set *set)
{
	const struct source *source = set->declaration->location.source;
	const char *path = source_path_beside(source ? source : check->diag->source, check->arena,
					      set->declaration->path);
	struct range_text_error error = { 0 };
	struct ublkpol_range *ranges;
	int ret;

	ret = range_text_read(path, &ranges, &set->nr_file_ranges, &error);
	if (ret) {
		if (error.line)
			diag_error(check->diag, set->declaration->path_location, NULL,
				   "%s:%u:%u: %s", path, error.line, error.column, error.text);
		else
			diag_error(check->diag, set->declaration->path_location, NULL,
				   "cannot read '%s': %s", path, error.text);
		return;
	}
	set->file_ranges = arena_alloc(check->arena, (set->nr_file_ranges + 1) * sizeof(*ranges));
	if (set->nr_file_ranges)
		memcpy(set->file_ranges, ranges, set->nr_file_ranges * sizeof(*ranges));
	else
		diag_error(check->diag, set->declaration->path_location, NULL,
			   "there are no ranges in '%s'", path);
	free(ranges);
}

static struct ast_set *check_lookup_set(struct check *check, const char *name)
{
	for (unsigned int i = 0; i < check->policy->nr_sets; i++) {
		if (!strcmp(check->policy->sets[i].declaration->name->text, name))
			return &check->policy->sets[i];
	}
	return NULL;
}

static void check_declare_set(struct check *check, const struct ast_declaration *declaration)
{
	struct ast_set *set = check_lookup_set(check, declaration->name->text);

	if (set) {
		diag_error(check->diag, declaration->name->location, NULL,
			   "set '%s' is declared twice", declaration->name->text);
		diag_also(check->diag, set->declaration->location, "declared here");
		return;
	}
	set = &check->policy->sets[check->policy->nr_sets++];
	set->declaration = declaration;
	if (declaration->path)
		check_read_set(check, set);
	for (struct ast_range *range = declaration->ranges; range; range = range->next)
		check_range(check, range);
}

static unsigned int check_count(const struct ast_policy *policy, enum ast_declaration_kind kind)
{
	unsigned int count = 0;

	for (const struct ast_declaration *d = policy->declarations; d; d = d->next)
		count += d->kind == kind;
	return count;
}

void check_declare_sets(struct check *check)
{
	struct ast_policy *policy = check->policy;

	policy->sets = arena_alloc(check->arena, (check_count(policy, AST_DECLARE_SET) + 1) *
							 sizeof(*policy->sets));
	for (struct ast_declaration *d = policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_SET)
			check_declare_set(check, d);
	}
}

bool check_find_set(struct check *check, struct ast_name *name)
{
	struct ast_set *set = check_lookup_set(check, name->text);
	const char **candidates, *closest;

	if (set) {
		set->is_used = true;
		name->index = set - check->policy->sets;
		return true;
	}
	candidates = arena_alloc(check->arena, (check->policy->nr_sets + 1) * sizeof(*candidates));
	for (unsigned int i = 0; i < check->policy->nr_sets; i++)
		candidates[i] = check->policy->sets[i].declaration->name->text;
	closest = names_closest(name->text, candidates, check->policy->nr_sets);
	diag_error(check->diag, name->location,
		   closest ? arena_printf(check->arena, "did you mean '%s'?", closest)
			   : arena_printf(check->arena, "declare it: 'set %s { a-b, c-d }'",
					  name->text),
		   "unknown set '%s'", name->text);
	return false;
}

/* --- parameters --- */

static void check_declare_param(struct check *check, struct ast_declaration *declaration)
{
	struct ast_policy *policy = check->policy;
	struct ast_param *param;

	for (unsigned int i = 0; i < policy->nr_params; i++) {
		if (strcmp(policy->params[i].declaration->name->text, declaration->name->text))
			continue;
		diag_error(check->diag, declaration->name->location, NULL,
			   "parameter '%s' is declared twice", declaration->name->text);
		diag_also(check->diag, policy->params[i].declaration->location, "declared here");
		return;
	}
	param = &policy->params[policy->nr_params++];
	param->declaration = declaration;
	param->max = INT64_MAX;
	if (check_param_quantity(check, &declaration->quantity, &param->unit))
		param->value = declaration->quantity.value;
}

void check_declare_params(struct check *check)
{
	struct ast_policy *policy = check->policy;

	policy->params = arena_alloc(check->arena, (check_count(policy, AST_DECLARE_PARAM) + 1) *
							   sizeof(*policy->params));
	for (struct ast_declaration *d = policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_PARAM)
			check_declare_param(check, d);
	}
}
