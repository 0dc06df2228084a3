// SPDX-License-Identifier: GPL-2.0-only
/*
 * The picture as SVG: a bar for the device, one for each backend below it, and a
 * band from each part of the device to where it lies. If reads and writes are
 * routed differently, the backends stand between a bar of each.
 */
#include <string.h>

#include "explain.h"

#define SVG_WIDTH	960
#define SVG_MARGIN	40
#define SVG_INNER	(SVG_WIDTH - 2 * SVG_MARGIN)
#define SVG_LAYER	34 /* height of a bar, for each choice of its segments */
#define SVG_BAND	110 /* between device and backends */
#define SVG_BACKEND	34
#define SVG_BACKEND_GAP 14
#define SVG_BACKEND_MIN 56.0
#define SVG_MIN_SEGMENT 2.0 /* narrower segments are drawn together */
#define SVG_CHARACTER	7.0 /* width of a letter of a label, roughly */
#define SVG_LEGEND_LINE 22
#define SVG_MAX_LEGEND	24
#define SVG_MAX_CHOICES 4 /* layers of a bar */
#define SVG_NR_COLORS	7

/* Told apart with any kind of colour vision (Okabe and Ito) */
static const char *const svg_colors[SVG_NR_COLORS] = {
	"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a600",
};

struct svg {
	FILE *out;
	const struct routing *routing;
	struct arena arena;
	double backends_y;
	double *backend_x;
	double *backend_width;
};

static void svg_text(const struct svg *svg, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			fputs("&amp;", svg->out);
			break;
		case '<':
			fputs("&lt;", svg->out);
			break;
		case '>':
			fputs("&gt;", svg->out);
			break;
		default:
			putc((unsigned char)*text < ' ' ? ' ' : *text, svg->out);
		}
	}
}

static void svg_label(const struct svg *svg, double x, double y, const char *class,
		      const char *text)
{
	fprintf(svg->out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
	svg_text(svg, text);
	fputs("</text>\n", svg->out);
}

static double svg_device_x(const struct svg *svg, __u64 sector)
{
	return SVG_MARGIN + (double)SVG_INNER * sector / svg->routing->dev_sectors;
}

static double svg_backend_x(const struct svg *svg, __u32 backend, __u64 sector)
{
	return svg->backend_x[backend] +
	       svg->backend_width[backend] * sector / svg->routing->needed[backend].last;
}

/* --- fills --- */

/* Several backends make a pattern of their colours, of which there is one for each target */
static const char *svg_fill(struct svg *svg, const struct ublkpol_target *target)
{
	const struct policy_image *image = svg->routing->image;

	if (!target)
		return "url(#unmatched)";
	if (target->nr_legs > 1)
		return arena_printf(&svg->arena, "url(#target%u)",
				    (unsigned int)(target - image->targets));
	if (target->nr_legs)
		return svg_colors[image->legs[target->first_leg] % SVG_NR_COLORS];
	if (target->action == UBLKPOL_ACTION_ERROR)
		return "url(#error)";
	return target->action == UBLKPOL_ACTION_USER ? "#9b8bd0" : "url(#nowhere)";
}

static const char *svg_leg_color(const struct svg *svg, const struct ublkpol_target *target,
				 __u32 leg)
{
	return svg_colors[svg->routing->image->legs[target->first_leg + leg % target->nr_legs] %
			  SVG_NR_COLORS];
}

/* Side by side for what is spread over the legs; on top of each other for copies */
static void svg_pattern(const struct svg *svg, __u32 index)
{
	const struct ublkpol_target *target = &svg->routing->image->targets[index];
	bool is_mirror = target->action == UBLKPOL_ACTION_MIRROR;
	__u32 size = (is_mirror ? 6 : 12) * target->nr_legs;

	fprintf(svg->out,
		"<pattern id=\"target%u\" width=\"%u\" height=\"%u\" "
		"patternUnits=\"userSpaceOnUse\">",
		index, size, size);
	for (__u32 i = 0; i < target->nr_legs; i++)
		fprintf(svg->out, "<rect %s=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\"/>",
			is_mirror ? "y" : "x", i * size / target->nr_legs, size, size,
			svg_leg_color(svg, target, i));
	fputs("</pattern>\n", svg->out);
}

static void svg_hatch(const struct svg *svg, const char *id, const char *ground, const char *line)
{
	fprintf(svg->out,
		"<pattern id=\"%s\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" "
		"patternTransform=\"rotate(45)\"><rect width=\"8\" height=\"8\" fill=\"%s\"/>"
		"<rect width=\"2\" height=\"8\" fill=\"%s\"/></pattern>\n",
		id, ground, line);
}

static void svg_definitions(const struct svg *svg)
{
	const struct policy_image *image = svg->routing->image;

	fputs("<style>\n"
	      "text { font-family: sans-serif; font-size: 13px; fill: #222; }\n"
	      ".title { font-size: 18px; font-weight: bold; }\n"
	      ".part { font-weight: bold; }\n"
	      ".small { font-size: 11px; fill: #666; }\n"
	      ".tick { font-size: 11px; fill: #666; text-anchor: middle; }\n"
	      ".last { text-anchor: end; }\n.first { text-anchor: start; }\n"
	      ".inside { text-anchor: middle; font-weight: bold; "
	      "paint-order: stroke; stroke: #ffffffd0; stroke-width: 4px; "
	      "stroke-linejoin: round; }\n"
	      ".rule { font-family: monospace; font-size: 12px; }\n"
	      "</style>\n<defs>\n",
	      svg->out);
	svg_hatch(svg, "unmatched", "#f2f2f2", "#c0392b");
	svg_hatch(svg, "error", "#e07a6e", "#c0392b");
	svg_hatch(svg, "nowhere", "#b4b4b4", "#9c9c9c");
	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		if (image->targets[i].nr_legs > 1)
			svg_pattern(svg, i);
	}
	fputs("</defs>\n", svg->out);
}

/* --- the bar of the device --- */

static unsigned int svg_layers(const struct routing_part *part)
{
	unsigned int layers = routing_layers(part);

	return layers < SVG_MAX_CHOICES ? layers : SVG_MAX_CHOICES;
}

static void svg_tooltip(const struct svg *svg, const struct routing_segment *segment,
			const struct routing_choice *choice)
{
	char start[ROUTING_TEXT_SIZE], end[ROUTING_TEXT_SIZE], where[POLICY_IMAGE_WHERE_SIZE];

	fprintf(svg->out, "<title>LBA %s-%s, ",
		routing_position(svg->routing, segment->start, start),
		routing_position(svg->routing, segment->end, end));
	if (choice->rule) {
		svg_text(svg, policy_image_where(svg->routing->image, choice->rule, where));
		fputs(": ", svg->out);
		svg_text(svg, routing_string(svg->routing, choice->rule->text));
	} else {
		fputs("no rule matches", svg->out);
	}
	fputs("</title>", svg->out);
}

static void svg_choice(struct svg *svg, const struct routing_segment *segment,
		       const struct routing_choice *choice, double x, double width, double y,
		       double height)
{
	const char *label = explain_label(svg->routing, choice, &svg->arena);

	fprintf(svg->out,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" fill=\"%s\" "
		"stroke=\"#fff\" stroke-width=\"%s\">",
		x, y, width, height, svg_fill(svg, choice->target), width > 6 ? "1.5" : "0");
	svg_tooltip(svg, segment, choice);
	fputs("</rect>\n", svg->out);
	if (strlen(label) * SVG_CHARACTER + 8 > width)
		label = explain_short_label(label, &svg->arena);
	if (strlen(label) * SVG_CHARACTER + 8 < width)
		svg_label(svg, x + width / 2, y + height / 2 + 4.5, "inside", label);
}

static void svg_segment(struct svg *svg, const struct routing_segment *segment, double x,
			double width, double y, double height)
{
	unsigned int nr = segment->nr_choices;
	unsigned int shown = nr < SVG_MAX_CHOICES ? nr : SVG_MAX_CHOICES;

	/* The last choice is the one that is not conditional: never left out */
	for (unsigned int i = 0; i < shown; i++)
		svg_choice(svg, segment, &segment->choices[i == shown - 1 ? nr - 1 : i], x, width,
			   y + height * i / shown, height / shown);
}

/* From the bar at @from_y to the backend, in the backend's colour */
static void svg_band(const struct svg *svg, const struct routing_place *place, double x,
		     double width, double from_y, double to_y)
{
	double left = svg_backend_x(svg, place->backend, place->first);
	double right = svg_backend_x(svg, place->backend, place->last);
	double middle = (from_y + to_y) / 2;

	fprintf(svg->out,
		"<path d=\"M%.2f,%.1f C%.2f,%.1f %.2f,%.1f %.2f,%.1f L%.2f,%.1f "
		"C%.2f,%.1f %.2f,%.1f %.2f,%.1f Z\" fill=\"%s\" fill-opacity=\"0.25\"/>\n",
		x, from_y, x, middle, left, middle, left, to_y, right, to_y, right, middle,
		x + width, middle, x + width, from_y, svg_colors[place->backend % SVG_NR_COLORS]);
}

static void svg_place(const struct svg *svg, const struct routing_place *place)
{
	double left = svg_backend_x(svg, place->backend, place->first);
	double right = svg_backend_x(svg, place->backend, place->last);

	fprintf(svg->out,
		"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" fill=\"%s\"/>\n", left,
		svg->backends_y, right - left < 1 ? 1 : right - left, SVG_BACKEND,
		svg_colors[place->backend % SVG_NR_COLORS]);
}

static void svg_bands(const struct svg *svg, const struct routing_segment *segment, double x,
		      double width, double from_y, double to_y)
{
	for (unsigned int i = 0; i < segment->nr_choices; i++) {
		const struct routing_choice *choice = &segment->choices[i];

		for (unsigned int k = 0; k < choice->nr_places; k++) {
			svg_place(svg, &choice->places[k]);
			svg_band(svg, &choice->places[k], x, width, from_y, to_y);
		}
	}
}

/* Small segments are drawn as one: that of the largest of them */
static void svg_part(struct svg *svg, const struct routing_part *part, double y, bool is_above)
{
	double height = SVG_LAYER * svg_layers(part);
	double from_y = is_above ? y + height : y;
	double to_y = is_above ? svg->backends_y : svg->backends_y + SVG_BACKEND;
	const struct routing_segment *largest = NULL;
	__u64 start = 0;

	for (unsigned int i = 0; i < part->nr_segments; i++) {
		const struct routing_segment *segment = &part->segments[i];
		double x = svg_device_x(svg, start);
		double width = svg_device_x(svg, segment->end) - x;

		if (!largest || segment->end - segment->start > largest->end - largest->start)
			largest = segment;
		if (width < SVG_MIN_SEGMENT && i < part->nr_segments - 1)
			continue;
		svg_bands(svg, largest, x, width, from_y, to_y);
		svg_segment(svg, largest, x, width, y, height);
		start = segment->end;
		largest = NULL;
	}
}

static void svg_ticks(const struct svg *svg, const struct routing_part *part, double y)
{
	double free_from = 0;

	for (unsigned int i = 0; i <= part->nr_segments; i++) {
		char text[ROUTING_TEXT_SIZE];
		__u64 sector =
			i < part->nr_segments ? part->segments[i].start : svg->routing->dev_sectors;
		double x = svg_device_x(svg, sector), half;

		routing_tick(svg->routing, sector, text);
		half = strlen(text) * SVG_CHARACTER / 2;
		if (x - half < free_from)
			continue;
		/* The end of the device has its place */
		if (i && i < part->nr_segments && x + half > SVG_WIDTH - SVG_MARGIN - 40)
			continue;
		svg_label(svg, x, y,
			  !i			   ? "tick first"
			  : i == part->nr_segments ? "tick last"
						   : "tick",
			  text);
		free_from = x + half + 6;
	}
}

/* --- backends --- */

static void svg_place_backends(struct svg *svg)
{
	const struct routing *routing = svg->routing;
	__u32 nr = routing->image->header->nr_backends;
	double room = SVG_INNER - SVG_BACKEND_GAP * (nr ? nr - 1.0 : 0), least, x = SVG_MARGIN;
	double sum = 0;

	svg->backend_x = arena_alloc(&svg->arena, (nr + 1) * sizeof(*svg->backend_x));
	svg->backend_width = arena_alloc(&svg->arena, (nr + 1) * sizeof(*svg->backend_width));
	least = nr && SVG_BACKEND_MIN > room / nr ? room / nr : SVG_BACKEND_MIN;
	for (__u32 i = 0; i < nr; i++)
		sum += routing->needed[i].last;
	for (__u32 i = 0; i < nr; i++) {
		svg->backend_x[i] = x;
		svg->backend_width[i] =
			least + (sum ? (room - nr * least) * routing->needed[i].last / sum : 0);
		x += svg->backend_width[i] + SVG_BACKEND_GAP;
	}
}

static void svg_backends(const struct svg *svg)
{
	for (__u32 i = 0; i < svg->routing->image->header->nr_backends; i++)
		fprintf(svg->out,
			"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" rx=\"3\" "
			"fill=\"#eee\"/>\n",
			svg->backend_x[i], svg->backends_y, svg->backend_width[i], SVG_BACKEND);
}

static void svg_backend_names(const struct svg *svg)
{
	for (__u32 i = 0; i < svg->routing->image->header->nr_backends; i++) {
		const struct ublkpol_backend *backend = &svg->routing->image->backends[i];

		fprintf(svg->out,
			"<rect x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" rx=\"3\" "
			"fill=\"none\" stroke=\"#444\"/>\n",
			svg->backend_x[i], svg->backends_y, svg->backend_width[i], SVG_BACKEND);
		svg_label(svg, svg->backend_x[i] + svg->backend_width[i] / 2,
			  svg->backends_y + SVG_BACKEND / 2.0 + 4.5, "inside",
			  routing_string(svg->routing, backend->name));
	}
}

/* --- the rest --- */

/* Behind "line 7" in a column; after the name of another file where that ends */
static double svg_rule_offset(size_t length)
{
	double offset = 40 + 6.5 * (double)length;

	return offset < 90 ? 90 : offset;
}

static void svg_legend(struct svg *svg, double y)
{
	const struct policy_image *image = svg->routing->image;
	char where[POLICY_IMAGE_WHERE_SIZE];

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		if (i == SVG_MAX_LEGEND) {
			svg_label(svg, SVG_MARGIN, y, "small", "... and more rules");
			return;
		}
		fprintf(svg->out,
			"<rect x=\"%d\" y=\"%.1f\" width=\"24\" height=\"12\" fill=\"%s\"/>\n",
			SVG_MARGIN, y - 10, svg_fill(svg, policy_image_target(image, i)));
		policy_image_where(image, &image->rules[i], where);
		svg_label(svg, SVG_MARGIN + 34, y, "small", where);
		svg_label(svg, SVG_MARGIN + svg_rule_offset(strlen(where)), y, "rule",
			  routing_string(svg->routing, image->rules[i].text));
		y += SVG_LEGEND_LINE;
	}
}

static void svg_title(const struct svg *svg)
{
	char size[ROUTING_TEXT_SIZE], text[128];

	svg_label(svg, SVG_MARGIN, 34, "title",
		  routing_string(svg->routing, svg->routing->image->header->source));
	snprintf(text, sizeof(text), "a device of %s, in blocks of %u bytes",
		 svg->routing->scale == ROUTING_EXACT
			 ? routing_position(svg->routing, svg->routing->dev_sectors, size)
			 : "any size",
		 svg->routing->block);
	svg_label(svg, SVG_MARGIN, 54, "small", text);
}

static unsigned int svg_legend_lines(const struct svg *svg)
{
	__u32 nr = svg->routing->image->header->nr_rules;

	return nr < SVG_MAX_LEGEND ? nr : SVG_MAX_LEGEND + 1;
}

void explain_svg(FILE *out, const struct routing *routing)
{
	struct svg svg = { .out = out, .routing = routing };
	const struct routing_part *above = &routing->parts[0], *below = NULL;
	double above_y = 112, below_y = 0, legend_y;

	if (routing->nr_parts > 1)
		below = &routing->parts[1];
	svg.backends_y = above_y + SVG_LAYER * svg_layers(above) + SVG_BAND;
	legend_y = svg.backends_y + SVG_BACKEND;
	if (below) {
		below_y = legend_y + SVG_BAND;
		legend_y = below_y + SVG_LAYER * svg_layers(below) + 42;
	}
	legend_y += 40;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%.0f\" "
		"viewBox=\"0 0 %d %.0f\">\n",
		SVG_WIDTH, legend_y + SVG_LEGEND_LINE * svg_legend_lines(&svg), SVG_WIDTH,
		legend_y + SVG_LEGEND_LINE * svg_legend_lines(&svg));
	svg_definitions(&svg);
	fputs("<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n", out);
	svg_title(&svg);
	svg_place_backends(&svg);
	svg_backends(&svg);

	svg_label(&svg, SVG_MARGIN, above_y - 22, "part", above->name);
	svg_ticks(&svg, above, above_y - 6);
	svg_part(&svg, above, above_y, true);
	if (below) {
		double end = below_y + SVG_LAYER * svg_layers(below);

		svg_part(&svg, below, below_y, false);
		svg_ticks(&svg, below, end + 14);
		svg_label(&svg, SVG_MARGIN, end + 32, "part", below->name);
	}
	svg_backend_names(&svg);
	svg_legend(&svg, legend_y);
	fputs("</svg>\n", out);
	arena_free(&svg.arena);
}
