// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include <string.h>

#include "image.h"

struct image_builder {
	struct arena *arena;
	struct ublkpol_header *header;
	struct ublkpol_backend *backends;
	struct ublkpol_rule *rules;
	struct ublkpol_range *ranges;
	__u32 *legs;
	char *strings;
	size_t strings_room;
};

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

static struct ublkpol_bound image_bound(const struct ast_quantity *quantity)
{
	struct ublkpol_bound bound = { .column = quantity->location.first_column };

	switch (quantity->unit) {
	case AST_UNIT_NUMBER:
	case AST_UNIT_BYTES:
		bound.unit = UBLKPOL_UNIT_BYTES;
		bound.value = quantity->value;
		break;
	case AST_UNIT_PERCENT:
		bound.unit = UBLKPOL_UNIT_PERCENT;
		bound.value = quantity->value;
		break;
	case AST_UNIT_END:
		bound.unit = UBLKPOL_UNIT_END;
		break;
	default:
		break;
	}
	return bound;
}

static void image_add_ranges(struct image_builder *b, struct ublkpol_rule *rule,
			     const struct ast_condition *lba)
{
	rule->first_range = b->header->nr_ranges;
	for (const struct ast_range *range = lba ? lba->ranges : NULL; range; range = range->next) {
		struct ublkpol_range *out = &b->ranges[b->header->nr_ranges++];

		out->first = image_bound(&range->first);
		out->last = image_bound(&range->last);
		rule->nr_ranges++;
	}
}

static void image_add_action(struct image_builder *b, struct ublkpol_rule *rule,
			     const struct ast_action *action)
{
	rule->first_leg = b->header->nr_legs;
	rule->at = action->has_at ? action->at.value : UBLKPOL_NO_OFFSET;

	switch (action->kind) {
	case AST_ACTION_ERROR:
		rule->action = UBLKPOL_ACTION_ERROR;
		rule->error = action->error;
		return;
	case AST_ACTION_BACKEND:
		rule->action = UBLKPOL_ACTION_BACKEND;
		break;
	case AST_ACTION_STRIPE:
		rule->action = UBLKPOL_ACTION_STRIPE;
		rule->chunk = action->chunk.value;
		break;
	default:
		break;
	}
	for (const struct ast_name *name = action->names; name; name = name->next) {
		b->legs[b->header->nr_legs++] = name->index;
		rule->nr_legs++;
	}
}

static bool image_is_same_action(const struct image_builder *b, const struct ublkpol_rule *x,
				 const struct ublkpol_rule *y)
{
	return x->action == y->action && x->chunk == y->chunk && x->error == y->error &&
	       x->nr_legs == y->nr_legs &&
	       !memcmp(b->legs + x->first_leg, b->legs + y->first_leg,
		       x->nr_legs * sizeof(*b->legs));
}

/* Equal actions share their code, so that its size does not grow with the rules */
static void image_number_targets(struct image_builder *b)
{
	const struct ublkpol_rule **firsts =
		arena_alloc(b->arena, (b->header->nr_rules + 1) * sizeof(*firsts));
	__u32 nr = 0;

	for (__u32 i = 0; i < b->header->nr_rules; i++) {
		struct ublkpol_rule *rule = &b->rules[i];

		while (rule->target < nr && !image_is_same_action(b, firsts[rule->target], rule))
			rule->target++;
		if (rule->target == nr)
			firsts[nr++] = rule;
	}
}

/* Backends that no rule uses get no slot; @slots maps the others */
static void image_add_backends(struct image_builder *b, const struct ast_policy *policy,
			       __u32 *slots)
{
	for (unsigned int i = 0; i < policy->nr_backends; i++) {
		const struct ast_backend *backend = &policy->backends[i];

		if (!backend->is_used)
			continue;
		slots[i] = b->header->nr_backends++;
		b->backends[slots[i]] = (struct ublkpol_backend){
			.name = image_string(b, backend->name),
			.path = image_string(b, backend->path),
			.line = backend->location.first_line,
		};
	}
}

static void image_count(const struct ast_policy *policy, size_t *ranges, size_t *legs)
{
	*ranges = 0;
	*legs = 0;
	for (const struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		for (const struct ast_range *r = rule->lba ? rule->lba->ranges : NULL; r;
		     r = r->next)
			(*ranges)++;
		for (const struct ast_name *name = rule->action->names; name; name = name->next)
			(*legs)++;
	}
}

void image_build(struct policy_image *image, const struct ast_policy *policy,
		 const struct source *source, const struct ublkpol_check_levels *checks,
		 struct arena *arena)
{
	struct image_builder b = { .arena = arena };
	size_t nr_ranges, nr_legs;
	__u32 *slots;

	image_count(policy, &nr_ranges, &nr_legs);
	b.header = arena_alloc(arena, sizeof(*b.header));
	b.backends = arena_alloc(arena, (policy->nr_backends + 1) * sizeof(*b.backends));
	b.rules = arena_alloc(arena, (policy->nr_rules + 1) * sizeof(*b.rules));
	b.ranges = arena_alloc(arena, (nr_ranges + 1) * sizeof(*b.ranges));
	b.legs = arena_alloc(arena, (nr_legs + 1) * sizeof(*b.legs));
	slots = arena_alloc(arena, (policy->nr_backends + 1) * sizeof(*slots));
	b.strings_room = 4096;
	b.strings = arena_alloc(arena, b.strings_room);
	b.header->strings_size = 1;

	b.header->magic = UBLKPOL_MAGIC;
	b.header->version = UBLKPOL_VERSION;
	b.header->size = policy->size;
	b.header->block = policy->block;
	b.header->checks = *checks;
	b.header->source = image_string(&b, source->name);
	image_add_backends(&b, policy, slots);

	for (const struct ast_rule *in = policy->rules; in; in = in->next) {
		struct ublkpol_rule *out = &b.rules[b.header->nr_rules++];

		out->ops = in->ops;
		out->line = in->location.first_line;
		out->is_default = in->is_default;
		out->label = image_string(&b, in->label ? in->label->text : "");
		out->text = image_string(&b, source_text(source, arena, in->location));
		image_add_ranges(&b, out, in->lba);
		image_add_action(&b, out, in->action);
	}
	for (__u32 i = 0; i < b.header->nr_legs; i++)
		b.legs[i] = slots[b.legs[i]];
	image_number_targets(&b);

	*image =
		(struct policy_image){ b.header, b.backends, b.rules, b.ranges, b.legs, b.strings };
}
