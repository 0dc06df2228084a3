// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>

#include "layout.h"
#include "resolve.h"

#define LAYOUT_SECTOR	     512U
#define LAYOUT_DEFAULT_BLOCK 512U

struct layout {
	const struct ast_policy *policy;
	struct diag *diag;
};

static const struct ast_rule *layout_rule(const struct layout *layout, unsigned int index)
{
	const struct ast_rule *rule = layout->policy->rules;

	while (index--)
		rule = rule->next;
	return rule;
}

/* The range with an end at @column, or the whole rule */
static struct location layout_location(const struct ast_rule *rule, unsigned int column)
{
	for (const struct ast_range *range = rule->lba ? rule->lba->ranges : NULL; range && column;
	     range = range->next) {
		if (range->first.location.first_column == (int)column ||
		    range->last.location.first_column == (int)column)
			return range->location;
	}
	return rule->location;
}

static void layout_report(void *arg, const struct resolve_message *message)
{
	const struct layout *layout = arg;
	struct diag *diag = layout->diag;
	struct location location = { 0 };
	const char *hint = NULL;

	if (message->rule != RESOLVE_NO_RULE)
		location = layout_location(layout_rule(layout, message->rule), message->column);
	if (message->hint)
		hint = arena_printf(diag->arena, "%s", message->hint);
	if (message->check)
		diag_check(diag, checks_find(message->check), location, hint, "%s", message->text);
	else
		diag_error(diag, location, hint, "%s", message->text);
}

void layout_check(const struct policy_image *image, const struct ast_policy *policy, __u64 size,
		  struct diag *diag)
{
	struct layout layout = { .policy = policy, .diag = diag };
	struct resolve_input input = {
		.image = image,
		.dev_sectors = size / LAYOUT_SECTOR,
		.block = image->header->block ? image->header->block : LAYOUT_DEFAULT_BLOCK,
		.report = layout_report,
		.report_arg = &layout,
	};
	struct resolve_layout resolved;

	if (!size)
		input.dev_sectors = resolve_nominal_sectors(image, &input.is_nominal);
	if (!input.dev_sectors)
		return;
	if (resolve_policy(&input, &resolved) == -ENOMEM)
		diag_error(diag, (struct location){ 0 }, NULL, "out of memory");
	resolve_free(&resolved);
}
