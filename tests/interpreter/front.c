// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>

#include "front.h"
#include "image.h"
#include "layout.h"
#include "parse.h"
#include "policy_check.h"

/* Which rules does the compiler warn about? */
static void front_find_shadowed(struct front *front)
{
	front->is_shadowed = arena_alloc(&front->arena, front->policy.nr_rules + 1);
	for (const struct diag_message *m = front->diag.messages; m; m = m->next) {
		if (!m->check || strcmp(m->check, "shadowed"))
			continue;
		for (const struct ast_rule *rule = front->policy.rules; rule; rule = rule->next) {
			if (rule->location.first_line == m->location.first_line &&
			    rule->location.first_column == m->location.first_column)
				front->is_shadowed[rule->index] = true;
		}
	}
}

int front_open(struct front *front, const char *path)
{
	const struct options_sizes sizes = { 0 };
	struct resolve_layout layout;
	enum routing_scale scale;
	int err;

	*front = (struct front){ 0 };
	err = source_read(&front->source, &front->arena, path);
	if (err)
		return err;
	diag_init(&front->diag, &front->arena, &front->source);
	parse_policy(&front->policy, &front->source, &front->arena, &front->diag);
	check_policy(&front->policy, &front->arena, &front->diag);
	if (front->diag.nr_errors)
		return -EINVAL;
	plan_build(&front->plan, &front->policy, &front->arena, &front->diag);
	if (front->diag.nr_errors)
		return -EINVAL;
	image_build(&front->image, &front->plan, &front->source, &front->diag);
	if (front->diag.nr_errors)
		return -EINVAL;
	check_flushes(&front->image, &front->plan, &front->diag);
	layout_policy(&front->image, &front->plan, &sizes, &layout, &scale, &front->diag);
	resolve_free(&layout);
	front_find_shadowed(front);
	return front->diag.nr_errors ? -EINVAL : 0;
}

void front_close(struct front *front)
{
	arena_free(&front->arena);
}

int front_backend(const struct front *front, const char *name)
{
	for (unsigned int i = 0; i < front->policy.nr_backends; i++) {
		if (!strcmp(front->policy.backends[i].name, name))
			return i;
	}
	return -1;
}

bool front_fits(struct front *front, const uint64_t *sectors, unsigned int block)
{
	__u64 sizes[64] = { 0 };
	struct resolve_input input = {
		.image = &front->image,
		.backend_sectors = sizes,
		.block = block,
	};
	struct resolve_layout layout;
	int err;

	/* The image has the backends in the same order */
	for (unsigned int i = 0; i < front->policy.nr_backends; i++)
		sizes[i] = sectors[i];
	err = resolve_policy(&input, &layout);
	resolve_free(&layout);
	return !err;
}
