// SPDX-License-Identifier: GPL-2.0-only
#include <stdint.h>
#include <string.h>

#include "check_internal.h"
#include "policy_check.h"
#include "ublkpol_object.h"

#define CHECK_MIN_BLOCK 512U
#define CHECK_MAX_BLOCK 4096U
#define CHECK_LANGUAGE	1U

/* --- declarations --- */

static void check_declare_backend(struct check *check, const struct ast_declaration *declaration)
{
	struct ast_backend *backend = check_find_backend(check, declaration->name->text);

	if (backend) {
		diag_error(check->diag, declaration->name->location, NULL,
			   "backend '%s' is declared twice", backend->name);
		diag_also(check->diag, backend->location, "declared here");
		return;
	}
	backend = check_add_backend(check, declaration->name);
	backend->is_declared = true;
	if (declaration->path)
		backend->path = declaration->path;
	if (declaration->path && !*declaration->path)
		diag_error(check->diag, declaration->location, NULL, "the path is empty");
}

static void check_declare_size(struct check *check, struct ast_declaration *declaration)
{
	if (check->policy->size) {
		diag_error(check->diag, declaration->location, NULL, "'size' is declared twice");
		return;
	}
	if (!check_bytes(check, &declaration->quantity))
		return;
	if (!declaration->quantity.value)
		diag_error(check->diag, declaration->quantity.location, NULL,
			   "the device would be empty");
	check->policy->size = declaration->quantity.value;
}

static void check_declare_block(struct check *check, struct ast_declaration *declaration)
{
	__u64 block;

	if (check->policy->block) {
		diag_error(check->diag, declaration->location, NULL, "'block' is declared twice");
		return;
	}
	if (!check_bytes(check, &declaration->quantity))
		return;
	block = declaration->quantity.value;
	if (block < CHECK_MIN_BLOCK || block > CHECK_MAX_BLOCK || block & (block - 1))
		diag_error(check->diag, declaration->quantity.location,
			   declaration->quantity.unit == AST_UNIT_NUMBER
				   ? "a bare number counts sectors of 512 bytes: write 512B or 4KiB"
				   : NULL,
			   "a block is 512B, 1KiB, 2KiB or 4KiB");
	else
		check->policy->block = block;
}

static void check_language(struct check *check, const struct ast_declaration *declaration)
{
	const struct ast_quantity *version = &declaration->quantity;

	if (check->has_language)
		diag_error(check->diag, declaration->location, NULL,
			   "'language' is declared twice");
	check->has_language = true;
	if (version->unit != AST_UNIT_NUMBER || version->decimals ||
	    version->digits != CHECK_LANGUAGE)
		diag_error(check->diag, version->location, NULL,
			   "this compiler knows version %u of the language", CHECK_LANGUAGE);
}

static void check_declarations(struct check *check)
{
	for (struct ast_declaration *d = check->policy->declarations; d; d = d->next) {
		switch (d->kind) {
		case AST_DECLARE_BACKEND:
			check_declare_backend(check, d);
			break;
		case AST_DECLARE_SIZE:
			check_declare_size(check, d);
			break;
		case AST_DECLARE_BLOCK:
			check_declare_block(check, d);
			break;
		case AST_DECLARE_LANGUAGE:
			check_language(check, d);
			break;
		case AST_DECLARE_INCLUDE:
		case AST_DECLARE_PARAM:
		case AST_DECLARE_SET:
			break;
		}
	}
	check_declare_params(check);
	check_declare_sets(check);
	for (struct ast_declaration *d = check->policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_SIZE)
			check_block_multiple(check, &d->quantity, "the size");
	}
}

/* --- the whole policy --- */

static void check_labels(struct check *check)
{
	for (const struct ast_rule *rule = check->policy->rules; rule; rule = rule->next) {
		for (const struct ast_rule *other = check->policy->rules;
		     rule->label && other != rule; other = other->next) {
			if (!other->label || strcmp(rule->label->text, other->label->text))
				continue;
			diag_error(check->diag, rule->label->location, NULL,
				   "the label '%s' is taken", rule->label->text);
			diag_also(check->diag, other->label->location, "by this rule");
			break;
		}
	}
}

static void check_unused(struct check *check)
{
	for (unsigned int i = 0; i < check->policy->nr_backends; i++) {
		const struct ast_backend *backend = &check->policy->backends[i];

		if (!backend->is_used)
			diag_check(check->diag, UBLKPOL_CHECK_UNUSED_BACKEND, backend->location,
				   NULL, "no rule uses backend '%s'", backend->name);
	}
	for (unsigned int i = 0; i < check->policy->nr_sets; i++) {
		const struct ast_set *set = &check->policy->sets[i];

		if (!set->is_used)
			diag_check(check->diag, UBLKPOL_CHECK_UNUSED_SET,
				   set->declaration->location, NULL, "no rule uses set '%s'",
				   set->declaration->name->text);
	}
	for (unsigned int i = 0; i < check->policy->nr_params; i++) {
		const struct ast_param *param = &check->policy->params[i];

		if (!param->is_used)
			diag_check(check->diag, UBLKPOL_CHECK_UNUSED_PARAM,
				   param->declaration->location, NULL,
				   "nothing uses parameter '%s'", param->declaration->name->text);
	}
}

void check_policy(struct ast_policy *policy, struct arena *arena, struct diag *diag)
{
	struct check check = { .policy = policy, .arena = arena, .diag = diag };
	bool is_whole = !diag->nr_errors;

	check_declarations(&check);
	for (struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		rule->index = policy->nr_rules++;
		check_condition(&check, rule);
		check_action(&check, rule);
		check_modifiers(&check, rule);
	}
	check_labels(&check);
	/* What could not be read may have used it */
	if (is_whole)
		check_unused(&check);
	if (!policy->rules && !diag->nr_errors)
		diag_error(diag, (struct location){ 0 }, "such as 'default -> fd0'",
			   "the policy has no rules");
}
