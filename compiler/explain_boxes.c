// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "explain_boxes.h"

#define BOXES_MAX_LABEL 24 /* columns that a label can claim */
#define BOXES_MIN	5 /* columns of a segment among many that gets its own box */
#define BOXES_FEW	8 /* so many segments all get a box */

const char *explain_box_label(const struct routing *routing, const struct routing_part *part,
			      const struct explain_box *box, unsigned int layer,
			      struct arena *arena)
{
	const struct routing_segment *segment = &part->segments[box->first];

	if (box->count > 1)
		return layer ? "" : arena_printf(arena, "%u parts", box->count);
	if (layer >= segment->nr_choices)
		return "";
	return explain_label(routing, &segment->choices[layer], arena);
}

/* Columns of the part of the device from @start to @end, of @columns for all of it */
static unsigned int boxes_share(const struct routing *routing, __u64 start, __u64 end,
				unsigned int columns)
{
	return (unsigned __int128)(end - start) * columns / routing->dev_sectors;
}

static __u64 boxes_start(const struct routing_part *part, const struct explain_box *box)
{
	return part->segments[box->first].start;
}

static __u64 boxes_end(const struct routing_part *part, const struct explain_box *box)
{
	return part->segments[box->first + box->count - 1].end;
}

static void boxes_collect(const struct routing *routing, const struct routing_part *part,
			  unsigned int columns, struct explain_boxes *boxes)
{
	bool is_crowd = false; /* the last box may take more segments */

	for (unsigned int i = 0; i < part->nr_segments; i++) {
		const struct routing_segment *segment = &part->segments[i];
		bool is_narrow =
			part->nr_segments > BOXES_FEW &&
			boxes_share(routing, segment->start, segment->end, columns) < BOXES_MIN;

		if (is_narrow && is_crowd) {
			boxes->list[boxes->nr - 1].count++;
			continue;
		}
		boxes->list[boxes->nr++] = (struct explain_box){ .first = i, .count = 1 };
		is_crowd = is_narrow;
	}
}

/* Neighbouring crowds and boxes become one until a box of the least size fits for each */
static void boxes_limit(struct explain_boxes *boxes, unsigned int columns)
{
	unsigned int max = columns / (BOXES_MIN + 1), out = 0, share;

	if (boxes->nr <= max)
		return;
	share = (boxes->nr + max - 1) / max;
	for (unsigned int i = 0; i < boxes->nr; i++) {
		if (i % share)
			boxes->list[out - 1].count += boxes->list[i].count;
		else
			boxes->list[out++] = boxes->list[i];
	}
	boxes->nr = out;
}

static unsigned int boxes_wanted(const struct routing *routing, const struct routing_part *part,
				 const struct explain_box *box, struct arena *arena)
{
	size_t longest = 0;

	for (unsigned int i = 0; i < part->segments[box->first].nr_choices; i++) {
		size_t length = strlen(explain_box_label(routing, part, box, i, arena));

		if (length > longest)
			longest = length;
	}
	return (longest > BOXES_MAX_LABEL ? BOXES_MAX_LABEL : longest) + 2;
}

/* Fits the sum of all widths into @room: the widest boxes give first */
static void boxes_fit(struct explain_boxes *boxes, unsigned int room)
{
	unsigned int sum = 0;

	for (unsigned int i = 0; i < boxes->nr; i++)
		sum += boxes->list[i].columns;
	for (; sum > room; sum--) {
		struct explain_box *widest = boxes->list;

		for (unsigned int i = 1; i < boxes->nr; i++) {
			if (boxes->list[i].columns > widest->columns)
				widest = &boxes->list[i];
		}
		widest->columns--;
	}
	/* What rounding left over */
	for (unsigned int i = 0; sum < room; sum++, i++)
		boxes->list[i % boxes->nr].columns++;
}

struct explain_boxes explain_boxes(const struct routing *routing, const struct routing_part *part,
				   unsigned int columns, struct arena *arena)
{
	struct explain_boxes boxes = {
		.list = arena_alloc(arena, part->nr_segments * sizeof(*boxes.list)),
	};
	unsigned int room, wanted;

	boxes_collect(routing, part, columns, &boxes);
	boxes_limit(&boxes, columns);

	room = columns - boxes.nr - 1; /* without the lines between */
	for (unsigned int i = 0; i < boxes.nr; i++) {
		struct explain_box *box = &boxes.list[i];

		box->columns =
			boxes_share(routing, boxes_start(part, box), boxes_end(part, box), room);
		wanted = boxes_wanted(routing, part, box, arena);
		if (box->columns < wanted)
			box->columns = wanted;
	}
	boxes_fit(&boxes, room);
	return boxes;
}
