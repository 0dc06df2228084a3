// SPDX-License-Identifier: GPL-2.0-only
/* The plan for people: a picture of the device, then a table of what lies where */
#include <string.h>

#include "explain_boxes.h"

#define EXPLAIN_COLUMNS	   78 /* of the picture */
#define EXPLAIN_MAX_LAYERS 6 /* lines of a box */
#define EXPLAIN_MAX_ROWS   40 /* segments in the table; of more, the middle is left out */
#define EXPLAIN_MAX_RULE   56 /* columns of a rule's text */

#define EXPLAIN_BOLD  "\033[1m"
#define EXPLAIN_FAINT "\033[2m"
#define EXPLAIN_OFF   "\033[0m"

struct explain {
	FILE *out;
	const struct routing *routing;
	const struct explain_style *style;
	struct arena arena;
};

/* --- colours and lines --- */

static void explain_paint(const struct explain *e, const char *color, const char *text)
{
	if (e->style->has_color)
		fprintf(e->out, "%s%s%s", color, text, EXPLAIN_OFF);
	else
		fputs(text, e->out);
}

/* One colour for each backend; what leads to no backend is grey or red */
static const char *explain_color(const struct routing_choice *choice)
{
	static const char *const colors[] = { "\033[30;46m", "\033[30;43m", "\033[30;42m",
					      "\033[30;45m", "\033[30;44m", "\033[30;47m" };

	if (choice->nr_places)
		return colors[choice->places[0].backend % 6];
	return choice->rule ? "\033[7m" : "\033[37;41m";
}

enum explain_line {
	EXPLAIN_HORIZONTAL,
	EXPLAIN_VERTICAL,
	EXPLAIN_TOP_LEFT,
	EXPLAIN_TOP,
	EXPLAIN_TOP_RIGHT,
	EXPLAIN_BOTTOM_LEFT,
	EXPLAIN_BOTTOM,
	EXPLAIN_BOTTOM_RIGHT,
};

static const char *const explain_unicode[] = {
	[EXPLAIN_HORIZONTAL] = "\u2500", [EXPLAIN_VERTICAL] = "\u2502",
	[EXPLAIN_TOP_LEFT] = "\u250c",	 [EXPLAIN_TOP] = "\u252c",
	[EXPLAIN_TOP_RIGHT] = "\u2510",	 [EXPLAIN_BOTTOM_LEFT] = "\u2514",
	[EXPLAIN_BOTTOM] = "\u2534",	 [EXPLAIN_BOTTOM_RIGHT] = "\u2518",
};

static void explain_draw(const struct explain *e, enum explain_line line)
{
	static const char ascii[] = "-|++++++";

	if (e->style->has_unicode)
		fputs(explain_unicode[line], e->out);
	else
		putc(ascii[line], e->out);
}

static void explain_blanks(const struct explain *e, unsigned int count)
{
	fprintf(e->out, "%*s", count, "");
}

/* --- the picture --- */

static void explain_border(const struct explain *e, const struct explain_boxes *boxes,
			   enum explain_line left, enum explain_line middle,
			   enum explain_line right)
{
	explain_blanks(e, 2);
	for (unsigned int i = 0; i < boxes->nr; i++) {
		explain_draw(e, i ? middle : left);
		for (unsigned int k = 0; k < boxes->list[i].columns; k++)
			explain_draw(e, EXPLAIN_HORIZONTAL);
	}
	explain_draw(e, right);
	putc('\n', e->out);
}

const char *explain_label(const struct routing *routing, const struct routing_choice *choice,
			  struct arena *arena)
{
	const char *target = routing_target(routing, choice, arena);

	return choice->is_conditional ? arena_printf(arena, "%s ?", target) : target;
}

const char *explain_short_label(const char *label, struct arena *arena)
{
	size_t word = strcspn(label, " "), length = strlen(label);
	bool is_conditional = length && label[length - 1] == '?';

	return arena_printf(arena, "%.*s%s", (int)word, label, is_conditional ? " ?" : "");
}

/* @label on exactly @columns: in the middle if there is room for it, else its beginning */
static const char *explain_fit(struct explain *e, const char *label, unsigned int columns)
{
	const char *dots = e->style->has_unicode ? "\u2026" : ".";
	unsigned int length = strlen(label), before;

	if (length > columns) {
		label = explain_short_label(label, &e->arena);
		length = strlen(label);
	}
	if (length > columns && label[length - 1] == '?')
		return arena_printf(&e->arena, "%.*s%s?", (int)columns - 2, label, dots);
	if (length > columns)
		return arena_printf(&e->arena, "%.*s%s", (int)columns - 1, label, dots);
	before = (columns - length) / 2;
	return arena_printf(&e->arena, "%*s%s%*s", before, "", label, columns - length - before,
			    "");
}

static void explain_box(struct explain *e, const struct routing_part *part,
			const struct explain_box *box, unsigned int layer)
{
	const struct routing_segment *segment = &part->segments[box->first];
	const char *text = explain_fit(
		e, explain_box_label(e->routing, part, box, layer, &e->arena), box->columns);

	if (layer >= segment->nr_choices)
		layer = segment->nr_choices - 1;
	explain_paint(e, box->count == 1 ? explain_color(&segment->choices[layer]) : "", text);
}

/* The position of each line between boxes, as far as there is room */
static void explain_ticks(const struct explain *e, const struct routing_part *part,
			  const struct explain_boxes *boxes)
{
	unsigned int at = 0, line = 2, end = 2 + EXPLAIN_COLUMNS;
	char text[ROUTING_TEXT_SIZE], last[ROUTING_TEXT_SIZE];
	unsigned int last_length = strlen(routing_tick(e->routing, e->routing->dev_sectors, last));

	for (unsigned int i = 0; i < boxes->nr; i++) {
		unsigned int length = strlen(
			routing_tick(e->routing, part->segments[boxes->list[i].first].start, text));
		unsigned int start = line > 2 + length / 2 ? line - length / 2 : 2;

		if ((!at || start > at) && start + length < end - last_length) {
			explain_blanks(e, start - at);
			fputs(text, e->out);
			at = start + length;
		}
		line += boxes->list[i].columns + 1;
	}
	explain_blanks(e, end - last_length - at);
	fprintf(e->out, "%s\n", last);
}

static void explain_picture(struct explain *e, const struct routing_part *part)
{
	struct explain_boxes boxes = explain_boxes(e->routing, part, EXPLAIN_COLUMNS, &e->arena);
	unsigned int layers = routing_layers(part);

	explain_border(e, &boxes, EXPLAIN_TOP_LEFT, EXPLAIN_TOP, EXPLAIN_TOP_RIGHT);
	if (layers > EXPLAIN_MAX_LAYERS)
		layers = EXPLAIN_MAX_LAYERS;
	for (unsigned int layer = 0; layer < layers; layer++) {
		explain_blanks(e, 2);
		for (unsigned int i = 0; i < boxes.nr; i++) {
			explain_draw(e, EXPLAIN_VERTICAL);
			explain_box(e, part, &boxes.list[i], layer);
		}
		explain_draw(e, EXPLAIN_VERTICAL);
		putc('\n', e->out);
	}
	explain_border(e, &boxes, EXPLAIN_BOTTOM_LEFT, EXPLAIN_BOTTOM, EXPLAIN_BOTTOM_RIGHT);
	explain_ticks(e, part, &boxes);
}

/* --- the table --- */

enum { COLUMN_RANGE, COLUMN_LINE, COLUMN_RULE, COLUMN_PLACES, NR_COLUMNS };

struct explain_row {
	const char *cells[NR_COLUMNS];
};

static const char *explain_range(struct explain *e, __u64 first, __u64 last)
{
	char from[ROUTING_TEXT_SIZE], to[ROUTING_TEXT_SIZE];

	return arena_printf(&e->arena, "%s-%s", routing_position(e->routing, first, from),
			    routing_position(e->routing, last, to));
}

static const char *explain_place(struct explain *e, const struct routing_place *place)
{
	const struct routing_place start = { .last = place->first };
	char from[ROUTING_TEXT_SIZE], to[ROUTING_TEXT_SIZE];

	return arena_printf(&e->arena, "%s-%s", routing_place_end(e->routing, &start, from),
			    routing_place_end(e->routing, place, to));
}

static const char *explain_places(struct explain *e, const struct routing_choice *choice)
{
	const char *text = "";

	for (unsigned int i = 0; i < choice->nr_places; i++) {
		const struct routing_place *place = &choice->places[i];

		text = arena_printf(
			&e->arena, "%s%s%s %s", text, i ? ", " : "",
			routing_string(e->routing,
				       e->routing->image->backends[place->backend].name),
			explain_place(e, place));
	}
	return text;
}

/* Rules are ASCII but for labels of paths, which none of them has: bytes are columns */
static const char *explain_rule(struct explain *e, const struct ublkpol_rule *rule)
{
	const char *text = routing_string(e->routing, rule->text);

	if (strlen(text) <= EXPLAIN_MAX_RULE)
		return text;
	return arena_printf(&e->arena, "%.*s...", EXPLAIN_MAX_RULE - 3, text);
}

/* For the column "line" */
static const char *explain_line(struct explain *e, const struct ublkpol_rule *rule)
{
	char where[POLICY_IMAGE_WHERE_SIZE];

	if (rule->source == e->routing->image->header->source)
		return arena_printf(&e->arena, "%u", rule->line);
	return arena_printf(&e->arena, "%s", policy_image_where(e->routing->image, rule, where));
}

static struct explain_row explain_row(struct explain *e, const struct routing_segment *segment,
				      unsigned int number)
{
	const struct routing_choice *choice = &segment->choices[number];
	struct explain_row row = { { "", "", "fails with EIO: no rule matches", "" } };

	if (!number)
		row.cells[COLUMN_RANGE] = explain_range(e, segment->start, segment->end);
	if (!choice->rule)
		return row;
	row.cells[COLUMN_LINE] = explain_line(e, choice->rule);
	row.cells[COLUMN_RULE] = explain_rule(e, choice->rule);
	row.cells[COLUMN_PLACES] = explain_places(e, choice);
	return row;
}

static void explain_print_row(const struct explain *e, const struct explain_row *row,
			      const unsigned int *widths)
{
	fprintf(e->out, "  %-*s  %*s  ", widths[COLUMN_RANGE], row->cells[COLUMN_RANGE],
		widths[COLUMN_LINE], row->cells[COLUMN_LINE]);
	if (*row->cells[COLUMN_PLACES])
		fprintf(e->out, "%-*s  %s\n", widths[COLUMN_RULE], row->cells[COLUMN_RULE],
			row->cells[COLUMN_PLACES]);
	else
		fprintf(e->out, "%s\n", row->cells[COLUMN_RULE]);
}

/* Is segment @number left out of a table of @nr? */
static bool explain_is_hidden(unsigned int number, unsigned int nr)
{
	return nr > EXPLAIN_MAX_ROWS && number >= EXPLAIN_MAX_ROWS - 5 && number < nr - 5;
}

static void explain_table(struct explain *e, const struct routing_part *part)
{
	static const struct explain_row head = { { "LBA", "line", "rule", "lies at" } };
	unsigned int widths[NR_COLUMNS] = { 3, 4, 4, 0 };
	struct explain_row *rows;
	size_t nr = 0, max = 0, gap = 0; /* rows before those that are left out */

	for (unsigned int i = 0; i < part->nr_segments; i++)
		max += explain_is_hidden(i, part->nr_segments) ? 0 : part->segments[i].nr_choices;
	rows = arena_alloc(&e->arena, (max + 1) * sizeof(*rows));
	for (unsigned int i = 0; i < part->nr_segments; i++) {
		if (explain_is_hidden(i, part->nr_segments)) {
			gap = nr;
			continue;
		}
		for (unsigned int k = 0; k < part->segments[i].nr_choices; k++)
			rows[nr++] = explain_row(e, &part->segments[i], k);
	}
	for (size_t i = 0; i < nr; i++) {
		for (int k = 0; k < NR_COLUMNS; k++) {
			unsigned int length = strlen(rows[i].cells[k]);

			if (length > widths[k])
				widths[k] = length;
		}
	}

	if (e->style->has_color)
		fputs(EXPLAIN_FAINT, e->out);
	explain_print_row(e, &head, widths);
	if (e->style->has_color)
		fputs(EXPLAIN_OFF, e->out);
	for (size_t i = 0; i < nr; i++) {
		if (gap && i == gap)
			fprintf(e->out, "  ... %u more; --emit=plan prints all of them\n",
				part->nr_segments - EXPLAIN_MAX_ROWS);
		explain_print_row(e, &rows[i], widths);
	}
}

/* --- the rest --- */

static void explain_head(struct explain *e)
{
	char size[ROUTING_TEXT_SIZE];

	explain_paint(e, EXPLAIN_BOLD,
		      routing_string(e->routing, e->routing->image->header->source));
	if (e->routing->scale == ROUTING_EXACT)
		fprintf(e->out, " on a device of %s",
			routing_position(e->routing, e->routing->dev_sectors, size));
	else
		fputs(" on a device of any size", e->out);
	fprintf(e->out, ", in blocks of %u bytes\n", e->routing->block);
}

static void explain_flushes(struct explain *e)
{
	const struct policy_image *image = e->routing->image;
	char where[POLICY_IMAGE_WHERE_SIZE];
	bool is_named = false;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (!(rule->ops & UBLKPOL_OP_FLUSH))
			continue;
		if (!is_named) {
			putc('\n', e->out);
			explain_paint(e, EXPLAIN_BOLD, "flushes");
			putc('\n', e->out);
		}
		is_named = true;
		fprintf(e->out, "  %s  %s\n", policy_image_where(image, rule, where),
			explain_rule(e, rule));
	}
	if (!is_named)
		fputs("\nA flush goes to every backend that some rule writes to.\n", e->out);
}

static const char *explain_need(struct explain *e, const struct routing_place *needed)
{
	char text[ROUTING_TEXT_SIZE];

	if (needed->is_unknown)
		return "holds a part of a concat, which depends on the sizes of its backends";
	if (!needed->last)
		return "holds no data";
	if (needed->is_open)
		return "is used to its end";
	return arena_printf(&e->arena, "must hold %s%s",
			    routing_place_end(e->routing, needed, text),
			    e->routing->scale == ROUTING_PERCENT ? " of the device" : "");
}

static void explain_backends(struct explain *e)
{
	const struct policy_image *image = e->routing->image;

	if (!image->header->nr_backends)
		return;
	putc('\n', e->out);
	explain_paint(e, EXPLAIN_BOLD, "backends");
	putc('\n', e->out);
	for (__u32 i = 0; i < image->header->nr_backends; i++) {
		const struct ublkpol_backend *backend = &image->backends[i];
		const char *path = routing_string(e->routing, backend->path);

		fprintf(e->out, "  %-12s %s%s%s\n", routing_string(e->routing, backend->name),
			explain_need(e, &e->routing->needed[i]), *path ? "  " : "", path);
	}
}

void explain_text(FILE *out, const struct routing *routing, const struct explain_style *style)
{
	struct explain e = { .out = out, .routing = routing, .style = style };

	explain_head(&e);
	for (unsigned int i = 0; i < routing->nr_parts; i++) {
		putc('\n', out);
		explain_paint(&e, EXPLAIN_BOLD, routing->parts[i].name);
		putc('\n', out);
		explain_picture(&e, &routing->parts[i]);
		putc('\n', out);
		explain_table(&e, &routing->parts[i]);
	}
	explain_flushes(&e);
	explain_backends(&e);
	arena_free(&e.arena);
}
