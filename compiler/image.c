// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "image.h"

/* How much the program's code, and with it the verifier's work, may grow */
#define IMAGE_MAX_TARGETS 512

struct image_builder {
	struct arena *arena;
	const struct plan *plan;
	const struct source *source;
	struct ublkpol_header *header;
	struct ublkpol_backend *backends;
	struct ublkpol_rule *rules;
	struct ublkpol_target *targets;
	struct ublkpol_list *lists;
	struct ublkpol_part *parts;
	__u32 *outcomes;
	struct ublkpol_set *sets;
	struct ublkpol_param *params;
	__u32 *legs;
	struct ublkpol_range *ranges;
	char *strings;
	size_t strings_room;
	__u32 *slots; /* of the policy's backends */
	__u64 *mirrors; /* of each mirror, its legs: bit s is slot s */
};

/* --- strings --- */

static __u32 image_string(struct image_builder *b, const char *text)
{
	size_t size = strlen(text) + 1;
	__u32 offset = b->header->strings_size;

	if (!*text)
		return 0; /* where image_build() puts the empty string */
	if (offset + size > b->strings_room) {
		char *bigger;

		b->strings_room = 2 * (offset + size);
		bigger = arena_alloc(b->arena, b->strings_room);
		memcpy(bigger, b->strings, offset);
		b->strings = bigger;
	}
	memcpy(b->strings + offset, text, size);
	b->header->strings_size += size;
	return offset;
}

/* --- ranges --- */

static struct ublkpol_bound image_bound(const struct ast_quantity *quantity)
{
	struct ublkpol_bound bound = {
		.unit = UBLKPOL_UNIT_BYTES,
		.value = quantity->value,
		.column = quantity->location.first_column,
	};

	if (quantity->unit == AST_UNIT_PERCENT)
		bound.unit = UBLKPOL_UNIT_PERCENT;
	if (quantity->unit == AST_UNIT_END) {
		bound.unit = UBLKPOL_UNIT_END;
		bound.value = 0;
	}
	return bound;
}

static void image_add_range(struct image_builder *b, const struct ast_range *range)
{
	struct ublkpol_range *out = &b->ranges[b->header->nr_ranges++];

	out->first = image_bound(&range->first);
	out->last = image_bound(&range->last);
}

static void image_add_set(struct image_builder *b, const struct ast_set *set)
{
	struct ublkpol_set *out = &b->sets[b->header->nr_sets++];
	const struct ast_declaration *declaration = set->declaration;

	out->name = image_string(b, declaration->name->text);
	out->line = declaration->location.first_line;
	out->first_range = b->header->nr_ranges;
	for (const struct ast_range *range = declaration->ranges; range; range = range->next)
		image_add_range(b, range);
	if (set->nr_file_ranges)
		memcpy(b->ranges + b->header->nr_ranges, set->file_ranges,
		       set->nr_file_ranges * sizeof(*b->ranges));
	b->header->nr_ranges += set->nr_file_ranges;
	out->nr_ranges = b->header->nr_ranges - out->first_range;
}

static void image_add_list(struct image_builder *b, const struct ast_condition *lba)
{
	struct ublkpol_list *list = &b->lists[b->header->nr_lists++];
	struct ublkpol_part *part = NULL;

	list->first_part = b->header->nr_parts;
	for (const struct ast_range *range = lba->ranges; range; range = range->next) {
		if (range->set || !part || part->set != UBLKPOL_NO_SET) {
			part = &b->parts[b->header->nr_parts++];
			*part = (struct ublkpol_part){
				.set = range->set ? range->set->index : UBLKPOL_NO_SET,
				.first_range = b->header->nr_ranges,
				.column = range->location.first_column,
			};
		}
		if (!range->set) {
			image_add_range(b, range);
			part->nr_ranges++;
		}
	}
	list->nr_parts = b->header->nr_parts - list->first_part;
}

/* --- targets --- */

static bool image_is_same_target(const struct image_builder *b, const struct ublkpol_target *x,
				 const struct ublkpol_target *y)
{
	return x->action == y->action && x->chunk == y->chunk && x->error == y->error &&
	       x->read_choice == y->read_choice && x->degrade == y->degrade &&
	       x->nr_legs == y->nr_legs &&
	       !memcmp(b->legs + x->first_leg, b->legs + y->first_leg,
		       x->nr_legs * sizeof(*b->legs));
}

/* Mirrors of the same backends share their state */
static __u32 image_mirror(struct image_builder *b, const struct ublkpol_target *target)
{
	__u64 legs = 0;
	__u32 i = 0;

	for (__u32 k = 0; k < target->nr_legs; k++)
		legs |= 1ULL << b->legs[target->first_leg + k];
	while (i < b->header->nr_mirrors && b->mirrors[i] != legs)
		i++;
	if (i == b->header->nr_mirrors) {
		b->mirrors[i] = legs;
		b->header->nr_mirrors++;
	}
	return i;
}

/*
 * Equal actions share their code, so that its size does not grow with the rules.
 * The legs of @target are the last ones in the table: if it is not new, they go.
 */
static __u32 image_add_target(struct image_builder *b, struct ublkpol_target *target)
{
	__u32 i = 0;

	while (i < b->header->nr_targets && !image_is_same_target(b, &b->targets[i], target))
		i++;
	if (i < b->header->nr_targets) {
		b->header->nr_legs = target->first_leg;
		return i;
	}
	if (target->action == UBLKPOL_ACTION_MIRROR)
		target->mirror = image_mirror(b, target);
	b->targets[b->header->nr_targets++] = *target;
	return i;
}

static const enum ublkpol_action image_actions[] = {
	[AST_ACTION_BACKEND] = UBLKPOL_ACTION_BACKEND, [AST_ACTION_STRIPE] = UBLKPOL_ACTION_STRIPE,
	[AST_ACTION_CONCAT] = UBLKPOL_ACTION_CONCAT,   [AST_ACTION_MIRROR] = UBLKPOL_ACTION_MIRROR,
	[AST_ACTION_HASH] = UBLKPOL_ACTION_HASH,       [AST_ACTION_ZERO] = UBLKPOL_ACTION_ZERO,
	[AST_ACTION_DROP] = UBLKPOL_ACTION_DROP,       [AST_ACTION_ERROR] = UBLKPOL_ACTION_ERROR,
	[AST_ACTION_USER] = UBLKPOL_ACTION_USER,
};

static void image_add_legs(struct image_builder *b, struct ublkpol_target *target,
			   const struct ast_action *action)
{
	for (const struct ast_name *name = action->names; name; name = name->next) {
		__u64 shares = action->kind == AST_ACTION_HASH ? name->weight.value : 1;

		while (shares--) {
			b->legs[b->header->nr_legs++] = b->slots[name->index];
			target->nr_legs++;
		}
	}
}

/* What the loader puts in the place of a concat: its legs, each alone */
static void image_add_parts_of_concat(struct image_builder *b, const struct ast_action *action)
{
	for (const struct ast_name *name = action->names; name; name = name->next) {
		struct ublkpol_target alone = { .action = UBLKPOL_ACTION_BACKEND,
						.first_leg = b->header->nr_legs,
						.nr_legs = 1 };

		b->legs[b->header->nr_legs++] = b->slots[name->index];
		image_add_target(b, &alone);
	}
}

static __u32 image_add_action(struct image_builder *b, const struct ast_action *action)
{
	struct ublkpol_target target = {
		.action = image_actions[action->kind],
		.first_leg = b->header->nr_legs,
	};

	switch (action->kind) {
	case AST_ACTION_ERROR:
		target.error = action->error;
		return image_add_target(b, &target);
	case AST_ACTION_STRIPE:
	case AST_ACTION_HASH:
		target.chunk = action->chunk.value;
		break;
	case AST_ACTION_MIRROR:
		target.read_choice = (__u32)action->read_choice;
		target.degrade = action->is_degrade;
		if (action->read_choice == AST_READ_BY_LBA)
			target.chunk = action->read_chunk.value;
		break;
	case AST_ACTION_CONCAT:
		image_add_parts_of_concat(b, action);
		target.first_leg = b->header->nr_legs;
		break;
	default:
		break;
	}
	image_add_legs(b, &target, action);
	return image_add_target(b, &target);
}

/* --- rules --- */

static __u32 image_flush_outcome(const struct test *test)
{
	switch (test->kind) {
	case TEST_NEVER:
		return UBLKPOL_NEVER;
	case TEST_ALWAYS:
		return UBLKPOL_ALWAYS;
	default:
		return 0;
	}
}

static __u32 image_counter(struct image_builder *b, const struct ast_rule *rule)
{
	for (const struct ast_modifier *m = rule->modifiers; m; m = m->next) {
		if (m->kind == AST_MODIFIER_COUNT)
			return image_string(b, m->name->text);
	}
	return 0;
}

static void image_add_rule(struct image_builder *b, const struct plan_rule *in)
{
	struct ublkpol_rule *out = &b->rules[b->header->nr_rules++];
	const struct ast_rule *rule = in->rule;
	const struct source *file = rule->location.source;

	*out = (struct ublkpol_rule){
		.ops = rule->ops,
		.target = image_add_action(b, rule->action),
		.first_list = b->header->nr_lists,
		.nr_lists = rule->nr_lists,
		.flush = image_flush_outcome(in->flush),
		.modifiers = in->modifiers,
		.at = rule->action->has_at ? rule->action->at.value : UBLKPOL_NO_OFFSET,
		.line = rule->location.first_line,
		.source = file ? image_string(b, file->name) : b->header->source,
		.is_default = rule->is_default,
		.label = image_string(b, rule->label ? rule->label->text : ""),
		.text = image_string(b, source_text(b->source, b->arena, rule->location)),
		.counter = image_counter(b, rule),
	};
	for (unsigned int i = 0; i < rule->nr_lists; i++)
		image_add_list(b, rule->lists[i]);
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
		out->first_outcome[dir] = b->header->nr_outcomes;
		memcpy(b->outcomes + b->header->nr_outcomes, in->outcomes[dir],
		       sizeof(*b->outcomes) << rule->nr_lists);
		b->header->nr_outcomes += 1U << rule->nr_lists;
	}
}

/* --- the whole --- */

/* Backends that no rule uses get no slot */
static void image_add_backends(struct image_builder *b, const struct ast_policy *policy)
{
	for (unsigned int i = 0; i < policy->nr_backends; i++) {
		const struct ast_backend *backend = &policy->backends[i];

		if (!backend->is_used)
			continue;
		b->slots[i] = b->header->nr_backends++;
		b->backends[b->slots[i]] = (struct ublkpol_backend){
			.name = image_string(b, backend->name),
			.path = image_string(b, backend->path),
			.line = backend->location.first_line,
		};
	}
}

static void image_add_param(struct image_builder *b, const struct ast_param *param)
{
	b->params[b->header->nr_params++] = (struct ublkpol_param){
		.value = param->value,
		.max = param->max,
		.name = image_string(b, param->declaration->name->text),
		.unit = param->unit,
		.flags = param->flags,
		.line = param->declaration->location.first_line,
	};
}

static size_t image_count_ranges(const struct ast_range *ranges)
{
	size_t count = 0;

	for (const struct ast_range *range = ranges; range; range = range->next)
		count++;
	return count;
}

/* How many entries of each table there can be, and one more: none of them is empty */
static void image_alloc(struct image_builder *b, const struct ast_policy *policy)
{
	size_t ranges = 1, lists = 1, outcomes = 1, legs = 1, targets = 1;

	for (unsigned int i = 0; i < policy->nr_sets; i++)
		ranges += image_count_ranges(policy->sets[i].declaration->ranges) +
			  policy->sets[i].nr_file_ranges;
	for (const struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		for (unsigned int i = 0; i < rule->nr_lists; i++)
			ranges += image_count_ranges(rule->lists[i]->ranges);
		lists += rule->nr_lists;
		outcomes += 2ULL << rule->nr_lists;
		targets++;
		for (const struct ast_name *name = rule->action->names; name; name = name->next) {
			/* Its shares of a hash, or once in a concat and once alone */
			legs += 2 + name->weight.value;
			targets++;
		}
	}
	b->rules = arena_alloc(b->arena, (policy->nr_rules + 1) * sizeof(*b->rules));
	b->backends = arena_alloc(b->arena, (policy->nr_backends + 1) * sizeof(*b->backends));
	b->slots = arena_alloc(b->arena, (policy->nr_backends + 1) * sizeof(*b->slots));
	b->sets = arena_alloc(b->arena, (policy->nr_sets + 1) * sizeof(*b->sets));
	b->params = arena_alloc(b->arena, (policy->nr_params + 1) * sizeof(*b->params));
	b->ranges = arena_alloc(b->arena, ranges * sizeof(*b->ranges));
	b->parts = arena_alloc(b->arena, ranges * sizeof(*b->parts));
	b->lists = arena_alloc(b->arena, lists * sizeof(*b->lists));
	b->outcomes = arena_alloc(b->arena, outcomes * sizeof(*b->outcomes));
	b->legs = arena_alloc(b->arena, legs * sizeof(*b->legs));
	b->targets = arena_alloc(b->arena, targets * sizeof(*b->targets));
	b->mirrors = arena_alloc(b->arena, targets * sizeof(*b->mirrors));
	b->strings_room = 4096;
	b->strings = arena_alloc(b->arena, b->strings_room);
}

/* Says so at the first rule that does something new beyond the limit */
static void image_check_targets(const struct image_builder *b, struct diag *diag)
{
	const struct ast_policy *policy = b->plan->policy;
	__u32 i = 0;

	if (b->header->nr_targets <= IMAGE_MAX_TARGETS)
		return;
	while (i + 1 < policy->nr_rules && b->rules[i].target < IMAGE_MAX_TARGETS)
		i++;
	diag_error(diag, b->plan->rules[i].rule->location,
		   "rules with the same action count as one; '@' makes no difference",
		   "the rules have more than %u different actions", IMAGE_MAX_TARGETS);
}

void image_build(struct policy_image *image, const struct plan *plan, const struct source *source,
		 struct diag *diag)
{
	const struct ast_policy *policy = plan->policy;
	struct image_builder b = { .arena = diag->arena, .plan = plan, .source = source };

	b.header = arena_alloc(b.arena, sizeof(*b.header));
	image_alloc(&b, policy);
	*b.header = (struct ublkpol_header){
		.magic = UBLKPOL_MAGIC,
		.version = UBLKPOL_VERSION,
		.size = policy->size,
		.block = policy->block,
		.checks = diag->checks,
		.nr_conditions = { plan->nr_conditions[0], plan->nr_conditions[1] },
		.nr_modifiers = plan->nr_modifiers,
		.strings_size = 1,
	};
	b.header->source = image_string(&b, source->name);
	image_add_backends(&b, policy);
	for (unsigned int i = 0; i < policy->nr_sets; i++)
		image_add_set(&b, &policy->sets[i]);
	for (unsigned int i = 0; i < policy->nr_params; i++)
		image_add_param(&b, &policy->params[i]);
	for (unsigned int i = 0; i < policy->nr_rules; i++)
		image_add_rule(&b, &plan->rules[i]);
	image_check_targets(&b, diag);

	*image = (struct policy_image){
		.header = b.header,
		.backends = b.backends,
		.rules = b.rules,
		.targets = b.targets,
		.lists = b.lists,
		.parts = b.parts,
		.outcomes = b.outcomes,
		.sets = b.sets,
		.params = b.params,
		.legs = b.legs,
		.ranges = b.ranges,
		.strings = b.strings,
	};
}
