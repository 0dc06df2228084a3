// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>

#include "routing.h"
#include "resolve_internal.h"

#define ROUTING_LONG	      100000 /* a number with so many digits is hard to read */
#define ROUTING_PERCENT_SCALE 100000000000ULL /* 100 % */

/* --- where a stretch of the device lies --- */

/* Sectors of leg @leg that lie before @position of a stripe */
static __u64 routing_leg_sectors(const struct ublkpol_target *target, __u32 leg, __u64 position)
{
	__u64 chunk = target->chunk / RESOLVE_SECTOR;
	__u64 row = chunk * target->nr_legs;
	__u64 inside = position % row;
	__u64 before = leg * chunk;

	inside = inside <= before ? 0 : inside - before < chunk ? inside - before : chunk;
	return position / row * chunk + inside;
}

static struct routing_place routing_place_of(const struct routing *routing,
					     const struct ublkpol_target *target, __u32 leg,
					     __u64 first, __u64 last)
{
	struct routing_place place = {
		.backend = routing->image->legs[target->first_leg + leg],
		.first = first,
		.last = last,
	};

	if (target->action == UBLKPOL_ACTION_STRIPE) {
		place.first = routing_leg_sectors(target, leg, first);
		place.last = routing_leg_sectors(target, leg, last);
	}
	return place;
}

/* A hash has a leg as often as it has shares; one place is enough */
static bool routing_is_first(const struct routing *routing, const struct ublkpol_target *target,
			     __u32 leg)
{
	const __u32 *legs = routing->image->legs + target->first_leg;

	for (__u32 i = 0; i < leg; i++) {
		if (legs[i] == legs[leg])
			return false;
	}
	return true;
}

static void routing_add_places(struct routing *routing, struct routing_choice *choice,
			       const struct ublkpol_segment *segment, __s64 delta,
			       struct arena *arena)
{
	const struct ublkpol_target *target = choice->target;
	struct routing_place *places;

	/* A concat that is still there has legs whose sizes are not known */
	if (!target || !policy_image_has_legs(target->action) ||
	    target->action == UBLKPOL_ACTION_CONCAT)
		return;
	places = arena_alloc(arena, target->nr_legs * sizeof(*places));
	for (__u32 i = 0; i < target->nr_legs; i++) {
		struct routing_place place = routing_place_of(
			routing, target, i, segment->start + delta, segment->end + delta);

		if (place.first == place.last || !routing_is_first(routing, target, i))
			continue;
		place.is_open =
			routing->scale == ROUTING_OPEN && segment->end == routing->dev_sectors;
		if (place.last > routing->needed[place.backend].last)
			routing->needed[place.backend] = place;
		places[choice->nr_places++] = place;
	}
	choice->places = places;
}

/* --- parts --- */

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
		routing_add_places(routing, &choices[i], segment, outcome.delta, arena);
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

		if (x.rule != y.rule || x.target != y.target || x.delta != y.delta)
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
	const unsigned int writes = UBLKPOL_OP_WRITE | UBLKPOL_OP_DISCARD | UBLKPOL_OP_WRITE_ZEROES;

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
				 UBLKPOL_OP_READ | writes, arena);
		return;
	}
	routing_add_part(routing, layout, UBLKPOL_DIR_READ, "reads", UBLKPOL_OP_READ, arena);
	routing_add_part(routing, layout, UBLKPOL_DIR_WRITE, "writes", writes, arena);
}

/* --- words --- */

static const char *routing_percent(const struct routing *routing, __u64 sector,
				   char text[ROUTING_TEXT_SIZE])
{
	__u64 percent =
		((unsigned __int128)sector * ROUTING_PERCENT_SCALE + routing->dev_sectors / 2) /
		routing->dev_sectors;
	int length;

	length = snprintf(text, ROUTING_TEXT_SIZE, "%llu.%09llu",
			  (unsigned long long)percent / 1000000000,
			  (unsigned long long)percent % 1000000000);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	strcpy(text + length, "%");
	return text;
}

/* Exactly if that is short, else about */
static const char *routing_bytes(__u64 sector, char text[ROUTING_TEXT_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	const __u64 bytes = sector * RESOLVE_SECTOR;
	__u64 value = bytes;
	unsigned int unit = 0;

	while (value && value % 1024 == 0 && unit < 4) {
		value /= 1024;
		unit++;
	}
	if (value < ROUTING_LONG) {
		snprintf(text, ROUTING_TEXT_SIZE, "%llu%s", (unsigned long long)value,
			 value ? units[unit] : "");
		return text;
	}
	for (value = bytes, unit = 0; value >= 1024 && unit < 4; unit++)
		value /= 1024;
	snprintf(text, ROUTING_TEXT_SIZE, "~%.2f%s", (double)bytes / (1ULL << 10 * unit),
		 units[unit]);
	return text;
}

const char *routing_position(const struct routing *routing, __u64 sector,
			     char text[ROUTING_TEXT_SIZE])
{
	if (sector && routing->scale == ROUTING_PERCENT)
		return routing_percent(routing, sector, text);
	if (sector == routing->dev_sectors && routing->scale == ROUTING_OPEN)
		return strcpy(text, "end");
	return routing_bytes(sector, text);
}

const char *routing_place_end(const struct routing *routing, const struct routing_place *place,
			      char text[ROUTING_TEXT_SIZE])
{
	if (place->is_open)
		return strcpy(text, "end");
	return routing->scale == ROUTING_PERCENT ? routing_percent(routing, place->last, text)
						 : routing_bytes(place->last, text);
}

static const char *routing_legs(const struct routing *routing, const struct ublkpol_target *target,
				const char *word, struct arena *arena)
{
	for (__u32 i = 0; i < target->nr_legs; i++) {
		__u32 backend = routing->image->legs[target->first_leg + i];

		if (!routing_is_first(routing, target, i))
			continue;
		word = arena_printf(arena, "%s %s", word,
				    routing_string(routing,
						   routing->image->backends[backend].name));
	}
	return word;
}

const char *routing_target(const struct routing *routing, const struct routing_choice *choice,
			   struct arena *arena)
{
	const struct ublkpol_target *target = choice->target;

	if (!choice->rule)
		return "no rule";
	if (!target)
		return "nothing";
	switch (target->action) {
	case UBLKPOL_ACTION_BACKEND:
		return routing_legs(routing, target, "", arena) + 1;
	case UBLKPOL_ACTION_STRIPE:
		return routing_legs(routing, target, "stripe", arena);
	case UBLKPOL_ACTION_CONCAT:
		return routing_legs(routing, target, "concat", arena);
	case UBLKPOL_ACTION_MIRROR:
		return routing_legs(routing, target, "mirror", arena);
	case UBLKPOL_ACTION_HASH:
		return routing_legs(routing, target, "hash", arena);
	case UBLKPOL_ACTION_ZERO:
		return "zero";
	case UBLKPOL_ACTION_DROP:
		return "drop";
	case UBLKPOL_ACTION_USER:
		return "user";
	default:
		return arena_printf(arena, "error %s", strerrorname_np(target->error));
	}
}
