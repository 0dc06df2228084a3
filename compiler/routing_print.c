// SPDX-License-Identifier: GPL-2.0-only
/* The plan for scripts */
#include "routing.h"

#define ROUTING_SECTOR 512ULL

static void print_choice(FILE *out, const struct routing *routing,
			 const struct routing_choice *choice, struct arena *arena)
{
	char where[POLICY_IMAGE_WHERE_SIZE];

	if (!choice->rule) {
		fputs(" unmatched", out);
		return;
	}
	fprintf(out, " %s %s: %s", choice->is_conditional ? "maybe" : "rule",
		policy_image_where(routing->image, choice->rule, where),
		routing_target(routing, choice, arena));
	for (unsigned int i = 0; i < choice->nr_places; i++) {
		const struct routing_place *place = &choice->places[i];
		const struct ublkpol_backend *backend = &routing->image->backends[place->backend];

		fprintf(out, "%s%s %llu-%llu", i ? ", " : " at ",
			routing_string(routing, backend->name), place->first * ROUTING_SECTOR,
			place->last * ROUTING_SECTOR);
	}
}

static void print_part(FILE *out, const struct routing *routing, const struct routing_part *part)
{
	struct arena arena = { 0 };

	for (unsigned int i = 0; i < part->nr_segments; i++) {
		const struct routing_segment *segment = &part->segments[i];

		for (unsigned int k = 0; k < segment->nr_choices; k++) {
			fprintf(out, "%s %llu-%llu", part->name, segment->start * ROUTING_SECTOR,
				segment->end * ROUTING_SECTOR);
			print_choice(out, routing, &segment->choices[k], &arena);
			putc('\n', out);
		}
		arena_free(&arena);
	}
}

void routing_print(FILE *out, const struct routing *routing)
{
	fprintf(out, "# %s, bytes of a device of %llu%s\n",
		routing_string(routing, routing->image->header->source),
		routing->dev_sectors * ROUTING_SECTOR,
		routing->scale == ROUTING_EXACT ? "" : " (made up)");
	for (unsigned int i = 0; i < routing->nr_parts; i++)
		print_part(out, routing, &routing->parts[i]);
}
