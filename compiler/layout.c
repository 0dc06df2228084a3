// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "layout.h"
#include "names.h"
#include "resolve.h"

#define LAYOUT_SECTOR	     512U
#define LAYOUT_DEFAULT_BLOCK 512U
#define LAYOUT_LARGEST	     (1ULL << 54) /* sectors: files end at 2^63 bytes */

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

/* The range with an end at @column, or the set there, or the whole rule */
static struct location layout_location(const struct ast_rule *rule, unsigned int column)
{
	for (unsigned int l = 0; l < rule->nr_lists && column; l++) {
		for (const struct ast_range *r = rule->lists[l]->ranges; r; r = r->next) {
			if (r->location.first_column == (int)column ||
			    (!r->set && r->last.location.first_column == (int)column))
				return r->location;
		}
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
	if (message->check == UBLKPOL_NO_CHECK)
		diag_error(diag, location, hint, "%s", message->text);
	else
		diag_check(diag, message->check, location, hint, "%s", message->text);
	for (unsigned int i = 0; i < message->nr_others; i++) {
		if (message->others[i] != message->rule)
			diag_also(diag, layout_rule(layout, message->others[i])->location, "");
	}
}

/* A size for nobody is a typing error */
static void layout_check_sizes(const struct policy_image *image, const struct options_sizes *sizes,
			       struct diag *diag)
{
	__u32 nr = image->header->nr_backends;
	const char **names = arena_alloc(diag->arena, (nr + 1) * sizeof(*names));

	for (__u32 i = 0; i < nr; i++)
		names[i] = image->strings + image->backends[i].name;
	for (const struct options_size *size = sizes->backends; size; size = size->next) {
		const char *closest = names_closest(size->name, names, nr);
		__u32 i = 0;

		while (i < nr && strcmp(names[i], size->name))
			i++;
		if (i == nr)
			diag_error(diag, (struct location){ 0 },
				   closest ? arena_printf(diag->arena, "did you mean '%s'?",
							  closest)
					   : NULL,
				   "--size: no rule uses a backend '%s'", size->name);
	}
}

/* Sizes that the command line does not give are large enough for everything */
static const __u64 *layout_backends(const struct policy_image *image,
				    const struct options_sizes *sizes, __u32 block,
				    struct diag *diag)
{
	__u64 *sectors;

	if (!sizes->backends)
		return NULL;
	sectors = arena_alloc(diag->arena, (image->header->nr_backends + 1) * sizeof(*sectors));
	for (__u32 i = 0; i < image->header->nr_backends; i++) {
		const struct options_size *size =
			options_find_size(sizes, image->strings + image->backends[i].name);

		sectors[i] = size ? size->bytes / block * block / LAYOUT_SECTOR : LAYOUT_LARGEST;
	}
	return sectors;
}

static bool layout_is_sized(const struct policy_image *image, const struct options_sizes *sizes,
			    const struct ublkpol_target *target)
{
	__u32 nr_sized = 0;

	for (__u32 i = 0; i < target->nr_legs; i++) {
		__u32 backend = image->legs[target->first_leg + i];

		nr_sized +=
			!!options_find_size(sizes, image->strings + image->backends[backend].name);
	}
	return target->action == UBLKPOL_ACTION_CONCAT ? nr_sized == target->nr_legs : nr_sized;
}

/* Do the sizes of the command line say how large the device is? */
static bool layout_is_device_sized(const struct policy_image *image,
				   const struct options_sizes *sizes)
{
	if (image->header->size || sizes->device)
		return true;
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_target *target = policy_image_target(image, i);

		if (policy_image_has_legs(target->action) &&
		    image->rules[i].ops & (UBLKPOL_OP_READ | UBLKPOL_OP_WRITE) &&
		    layout_is_sized(image, sizes, target))
			return true;
	}
	return false;
}

/* Does some rule match all requests that none before it matches? */
static bool layout_has_default(const struct policy_image *image, enum ublkpol_direction dir)
{
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (!rule->nr_lists && image->outcomes[rule->first_outcome[dir]] == UBLKPOL_ALWAYS)
			return true;
	}
	return false;
}

/* Without a size, nobody can tell whether the ranges leave a gap */
static void layout_check_default(const struct policy_image *image, struct diag *diag)
{
	if (layout_has_default(image, UBLKPOL_DIR_READ) &&
	    layout_has_default(image, UBLKPOL_DIR_WRITE))
		return;
	diag_check(
		diag, UBLKPOL_CHECK_MISSING_DEFAULT, (struct location){ 0 },
		"'default -> ...' serves the rest; --size checks the policy for one size",
		"whether the rules match everything depends on the size of the device, and there "
		"is no 'default'");
}

static const __u32 *layout_flush_takers(const struct plan *plan, struct arena *arena)
{
	__u32 *takers = arena_alloc(arena, (plan->policy->nr_rules + 1) * sizeof(*takers));

	for (unsigned int i = 0; i < plan->policy->nr_rules; i++)
		takers[i] = plan->rules[i].flush_taker;
	return takers;
}

bool layout_policy(const struct policy_image *image, const struct plan *plan,
		   const struct options_sizes *sizes, struct resolve_layout *resolved,
		   enum routing_scale *scale, struct diag *diag)
{
	struct layout layout = { .policy = plan->policy, .diag = diag };
	struct resolve_input input = {
		.image = image,
		.dev_sectors = sizes->device / LAYOUT_SECTOR,
		.block = image->header->block ? image->header->block : LAYOUT_DEFAULT_BLOCK,
		.implied = { plan->implied[UBLKPOL_DIR_READ], plan->implied[UBLKPOL_DIR_WRITE] },
		.flush_takers = layout_flush_takers(plan, diag->arena),
		.report = layout_report,
		.report_arg = &layout,
	};
	int err;

	*resolved = (struct resolve_layout){ 0 };
	layout_check_sizes(image, sizes, diag);
	input.backend_sectors = layout_backends(image, sizes, input.block, diag);
	*scale = ROUTING_EXACT;
	if (!layout_is_device_sized(image, sizes)) {
		input.dev_sectors = resolve_nominal_sectors(image, &input.is_nominal);
		*scale = input.is_nominal ? ROUTING_PERCENT : ROUTING_OPEN;
		if (!input.dev_sectors) {
			layout_check_default(image, diag);
			return false;
		}
		/* Of a device that is made up, a size in bytes is no part in per cent */
		if (input.is_nominal)
			input.backend_sectors = NULL;
		input.is_made_up = true;
	}
	err = resolve_policy(&input, resolved);
	if (err == -ENOMEM)
		diag_error(diag, (struct location){ 0 }, NULL, "out of memory");
	return !err;
}
