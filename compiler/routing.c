// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "routing.h"
#include "resolve_place.h"

#define ROUTING_LONG 8 /* characters of a number that a picture has room for */

/* --- parts --- */

static void routing_need(struct routing_place *needed, const struct routing_place *place)
{
	bool is_unknown = needed->is_unknown;

	*needed = *place;
	needed->is_unknown = is_unknown;
}

static void routing_add_places(struct routing *routing, struct routing_choice *choice,
			       const struct ublkpol_segment *segment,
			       const struct resolve_outcome *outcome, struct arena *arena)
{
	struct routing_place *places;
	__u64 seen = 0;

	if (!resolve_is_mapped(routing->image, outcome))
		return;
	if (!place_is_known(routing->image, outcome)) {
		for (__u32 i = 0; i < choice->target->nr_legs; i++)
			routing->needed[routing->image->legs[choice->target->first_leg + i]]
				.is_unknown = true;
		return;
	}
	places = arena_alloc(arena, choice->target->nr_legs * sizeof(*places));
	for (__u32 i = 0; i < choice->target->nr_legs; i++) {
		struct place_extent extent = place_extent_of(routing->image, segment, outcome, i);
		struct routing_place place = {
			.backend = extent.backend,
			.first = extent.first,
			.last = extent.last,
			.is_open = routing->scale == ROUTING_OPEN &&
				   segment->end == routing->dev_sectors,
		};

		/* A hash has a leg as often as it has shares */
		if (place.first == place.last || seen & 1ULL << place.backend)
			continue;
		seen |= 1ULL << place.backend;
		if (place.last > routing->needed[place.backend].last)
			routing_need(&routing->needed[place.backend], &place);
		places[choice->nr_places++] = place;
	}
	choice->places = places;
}

static struct routing_segment routing_segment_of(struct routing *routing,
						 const struct resolve_layout *layout,
						 const struct ublkpol_segment *segment,
						 struct arena *arena)
{
	unsigned int nr = resolve_nr_outcomes(segment);
	struct routing_choice *choices = arena_alloc(arena, nr * sizeof(*choices));

	for (unsigned int i = 0; i < nr; i++) {
		struct resolve_outcome outcome = resolve_outcome(layout, segment, i);

		choices[i].is_conditional = outcome.is_conditional;
		if (outcome.rule != UBLKPOL_NO_RULE)
			choices[i].rule = &routing->image->rules[outcome.rule];
		if (outcome.target != UBLKPOL_NO_TARGET)
			choices[i].target = &routing->image->targets[outcome.target];
		routing_add_places(routing, &choices[i], segment, &outcome, arena);
	}
	return (struct routing_segment){ segment->start, segment->end, choices, nr };
}

static bool routing_is_same(const struct resolve_layout *layout, const struct ublkpol_segment *a,
			    const struct ublkpol_segment *b)
{
	if (a->start != b->start || a->end != b->end ||
	    resolve_nr_outcomes(a) != resolve_nr_outcomes(b))
		return false;
	for (unsigned int i = 0; i < resolve_nr_outcomes(a); i++) {
		struct resolve_outcome x = resolve_outcome(layout, a, i);
		struct resolve_outcome y = resolve_outcome(layout, b, i);

		if (x.rule != y.rule || x.delta != y.delta)
			return false;
	}
	return true;
}

static bool routing_has_one_part(const struct resolve_layout *layout)
{
	const struct ublkpol_segment *read = resolve_part(layout, UBLKPOL_DIR_READ);
	const struct ublkpol_segment *write = resolve_part(layout, UBLKPOL_DIR_WRITE);

	if (layout->nr_segments[UBLKPOL_DIR_READ] != layout->nr_segments[UBLKPOL_DIR_WRITE])
		return false;
	for (__u32 i = 0; i < layout->nr_segments[UBLKPOL_DIR_READ]; i++) {
		if (!routing_is_same(layout, &read[i], &write[i]))
			return false;
	}
	return true;
}

static void routing_add_part(struct routing *routing, const struct resolve_layout *layout,
			     enum ublkpol_direction dir, const char *name, unsigned int ops,
			     struct arena *arena)
{
	const struct ublkpol_segment *in = resolve_part(layout, dir);
	__u32 nr = layout->nr_segments[dir];
	struct routing_segment *segments = arena_alloc(arena, nr * sizeof(*segments));

	for (__u32 i = 0; i < nr; i++)
		segments[i] = routing_segment_of(routing, layout, &in[i], arena);
	routing->parts[routing->nr_parts++] = (struct routing_part){ name, ops, segments, nr };
}

void routing_build(struct routing *routing, const struct policy_image *image,
		   const struct resolve_layout *layout, enum routing_scale scale,
		   struct arena *arena)
{
	*routing = (struct routing){
		.image = image,
		.dev_sectors = layout->dev_sectors,
		.block = layout->block,
		.scale = scale,
		.needed = arena_alloc(arena,
				      (image->header->nr_backends + 1) * sizeof(*routing->needed)),
	};
	if (routing_has_one_part(layout)) {
		routing_add_part(routing, layout, UBLKPOL_DIR_READ, "reads and writes",
				 UBLKPOL_OP_READ | UBLKPOL_WRITE_OPS, arena);
		return;
	}
	routing_add_part(routing, layout, UBLKPOL_DIR_READ, "reads", UBLKPOL_OP_READ, arena);
	routing_add_part(routing, layout, UBLKPOL_DIR_WRITE, "writes", UBLKPOL_WRITE_OPS, arena);
}

unsigned int routing_layers(const struct routing_part *part)
{
	unsigned int layers = 1;

	for (unsigned int i = 0; i < part->nr_segments; i++) {
		if (part->segments[i].nr_choices > layers)
			layers = part->segments[i].nr_choices;
	}
	return layers;
}

/* --- words --- */

static const char *const routing_units[] = { "B", "KiB", "MiB", "GiB", "TiB" };

/* The largest unit that a number is whole in */
static unsigned int routing_unit(__u64 bytes)
{
	unsigned int unit = 0;

	while (bytes && bytes >> 10 * unit << 10 * unit == bytes && unit < 5)
		unit++;
	return unit ? unit - 1 : 0;
}

static const char *routing_bytes(__u64 sector, char text[ROUTING_TEXT_SIZE])
{
	const __u64 bytes = sector * RESOLVE_SECTOR;
	unsigned int unit = routing_unit(bytes);

	snprintf(text, ROUTING_TEXT_SIZE, "%llu%s", (unsigned long long)bytes >> 10 * unit,
		 bytes ? routing_units[unit] : "");
	return text;
}

const char *routing_position(const struct routing *routing, __u64 sector,
			     char text[ROUTING_TEXT_SIZE])
{
	if (sector && routing->scale == ROUTING_PERCENT)
		return resolve_print_percent(text, sector, routing->dev_sectors);
	if (sector == routing->dev_sectors && routing->scale == ROUTING_OPEN)
		return strcpy(text, "end");
	return routing_bytes(sector, text);
}

const char *routing_tick(const struct routing *routing, __u64 sector, char text[ROUTING_TEXT_SIZE])
{
	const __u64 bytes = sector * RESOLVE_SECTOR;
	unsigned int unit = 0;

	routing_position(routing, sector, text);
	if (strlen(text) <= ROUTING_LONG || !strchr(text, 'B'))
		return text;
	while (bytes >> 10 * (unit + 1) && unit < 4)
		unit++;
	snprintf(text, ROUTING_TEXT_SIZE, "~%.2f%s", (double)bytes / (1ULL << 10 * unit),
		 routing_units[unit]);
	return text;
}

const char *routing_place_end(const struct routing *routing, const struct routing_place *place,
			      char text[ROUTING_TEXT_SIZE])
{
	if (place->is_open)
		return strcpy(text, "end");
	return routing->scale == ROUTING_PERCENT
		       ? resolve_print_percent(text, place->last, routing->dev_sectors)
		       : routing_bytes(place->last, text);
}

static const char *routing_legs(const struct routing *routing, const struct ublkpol_target *target,
				const char *word, struct arena *arena)
{
	__u64 seen = 0;

	for (__u32 i = 0; i < target->nr_legs; i++) {
		__u32 backend = routing->image->legs[target->first_leg + i];

		if (seen & 1ULL << backend)
			continue;
		seen |= 1ULL << backend;
		word = arena_printf(arena, "%s %s", word,
				    routing_string(routing,
						   routing->image->backends[backend].name));
	}
	return word;
}

const char *routing_target(const struct routing *routing, const struct routing_choice *choice,
			   struct arena *arena)
{
	if (!choice->target)
		return "no rule";
	switch (choice->target->action) {
	case UBLKPOL_ACTION_BACKEND:
		return routing_legs(routing, choice->target, "", arena) + 1;
	case UBLKPOL_ACTION_STRIPE:
		return routing_legs(routing, choice->target, "stripe", arena);
	case UBLKPOL_ACTION_CONCAT:
		return routing_legs(routing, choice->target, "concat", arena);
	case UBLKPOL_ACTION_MIRROR:
		return routing_legs(routing, choice->target, "mirror", arena);
	case UBLKPOL_ACTION_HASH:
		return routing_legs(routing, choice->target, "hash", arena);
	case UBLKPOL_ACTION_ZERO:
		return "zero";
	case UBLKPOL_ACTION_DROP:
		return "drop";
	case UBLKPOL_ACTION_USER:
		return "user";
	default:
		return arena_printf(arena, "error %s", strerrorname_np(choice->target->error));
	}
}
