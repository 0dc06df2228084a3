// SPDX-License-Identifier: GPL-2.0-only
/* Messages for people: source lines with the places underlined */
#include <string.h>

#include "diag.h"

#define DIAG_GUTTER    5 /* columns for a line number */
#define DIAG_MAX_WIDTH 96U /* bytes of a line that are shown */

#define DIAG_COLOR_NAME	   "\033[1m"
#define DIAG_COLOR_ERROR   "\033[1;31m"
#define DIAG_COLOR_WARNING "\033[1;35m"
#define DIAG_COLOR_PLACE   "\033[36m"
#define DIAG_COLOR_HINT	   "\033[1;32m"
#define DIAG_COLOR_OFF	   "\033[0m"

struct diag_printer {
	const struct diag *diag;
	FILE *out;
	bool has_color;
};

/* What to draw under one source line */
struct diag_marks {
	char kind[DIAG_MAX_WIDTH + 1]; /* of each byte: ' ', '^', '~' or '-' (of another place) */
	size_t end; /* behind the last mark */
};

static void diag_color(const struct diag_printer *p, const char *color)
{
	if (p->has_color)
		fputs(color, p->out);
}

static bool diag_is_utf8_continuation(char byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The part of a long line that is shown: @from up to @to, around byte @at */
static void diag_clip(const char *line, size_t length, size_t at, size_t *from, size_t *to)
{
	*from = 0;
	*to = length;
	if (length <= DIAG_MAX_WIDTH)
		return;
	*from = at > DIAG_MAX_WIDTH / 3 ? at - DIAG_MAX_WIDTH / 3 : 0;
	if (*from + DIAG_MAX_WIDTH < length)
		*to = *from + DIAG_MAX_WIDTH;
	while (*from < at && diag_is_utf8_continuation(line[*from]))
		(*from)++;
	while (*to > *from && *to < length && diag_is_utf8_continuation(line[*to]))
		(*to)--;
}

static const struct source *diag_source(const struct diag_printer *p, const struct location *at)
{
	return at->source ? at->source : p->diag->source;
}

/* Marks @at, whose line is shown from byte @from up to @to; false if it is not in there */
static bool diag_mark(struct diag_marks *marks, const struct location *at, size_t from, size_t to,
		      bool is_main)
{
	size_t first = at->first_column - 1;
	size_t last = at->last_line == at->first_line ? (size_t)at->last_column - 1 : to;

	if (first < from || first > to || first - from >= DIAG_MAX_WIDTH)
		return false;
	if (last > to)
		last = to;
	if (last <= first)
		last = first + 1;
	for (size_t i = first; i < last; i++)
		marks->kind[i - from] = is_main ? '~' : '-';
	if (is_main)
		marks->kind[first - from] = '^';
	if (last - from > marks->end)
		marks->end = last - from;
	return true;
}

/* Under the text, of which @line + i is above mark i */
static void diag_print_marks(const struct diag_printer *p, const struct diag_marks *marks,
			     const char *line, size_t length, const char *color)
{
	const char *current = NULL;

	for (size_t i = 0; i < marks->end; i++) {
		char kind = marks->kind[i];
		const char *wanted = kind == ' ' ? current : kind == '-' ? DIAG_COLOR_PLACE : color;

		if (i < length && diag_is_utf8_continuation(line[i]))
			continue;
		if (wanted != current)
			diag_color(p, wanted);
		current = wanted;
		if (kind == ' ')
			kind = i < length && line[i] == '\t' ? '\t' : ' ';
		putc(kind == '-' ? '~' : kind, p->out);
	}
	if (current)
		diag_color(p, DIAG_COLOR_OFF);
}

static bool diag_is_same_line(const struct diag_printer *p, const struct location *a,
			      const struct location *b)
{
	return diag_source(p, a) == diag_source(p, b) && a->first_line == b->first_line;
}

/*
 * The line of @at, underlined, with the places of @others that are on the same
 * line; those are unlinked from the list.
 */
static void diag_print_excerpt(const struct diag_printer *p, const struct location *at,
			       bool is_main, const char *color, const char *text,
			       struct diag_place **others)
{
	const struct source *source = diag_source(p, at);
	struct diag_marks marks = { .end = 0 };
	size_t length, from, to;
	const char *line = source_line(source, at->first_line, &length);

	memset(marks.kind, ' ', sizeof(marks.kind));
	diag_clip(line, length, at->first_column - 1, &from, &to);
	while (others && *others) {
		struct diag_place *place = *others;

		if (!diag_is_same_line(p, at, &place->location) || *place->text ||
		    !diag_mark(&marks, &place->location, from, to, false))
			others = &place->next;
		else
			*others = place->next;
	}
	diag_mark(&marks, at, from, to, is_main);

	fprintf(p->out, "%*d | %s%.*s%s\n", DIAG_GUTTER, at->first_line, from ? "..." : "",
		(int)(to - from), line + from, to < length ? "..." : "");
	fprintf(p->out, "%*s | %s", DIAG_GUTTER, "", from ? "   " : "");
	diag_print_marks(p, &marks, line + from, to - from, color);
	if (*text) {
		diag_color(p, DIAG_COLOR_PLACE);
		fprintf(p->out, " %s", text);
		diag_color(p, DIAG_COLOR_OFF);
	}
	putc('\n', p->out);
}

static void diag_print_places(const struct diag_printer *p, const struct diag_message *message,
			      const char *color)
{
	const struct source *shown = diag_source(p, &message->location);
	struct diag_place *others = NULL, **end = &others;

	/* A list of its own, from which the excerpts take what they show */
	for (const struct diag_place *place = message->places; place; place = place->next) {
		*end = arena_alloc(p->diag->arena, sizeof(**end));
		**end = (struct diag_place){ NULL, place->location, place->text };
		end = &(*end)->next;
	}

	if (message->location.first_line)
		diag_print_excerpt(p, &message->location, true, color, "", &others);
	while (others) {
		struct diag_place *place = others;
		const struct source *source = diag_source(p, &place->location);

		others = place->next;
		if (source != shown)
			fprintf(p->out, "%*s | in %s:\n", DIAG_GUTTER, "", source->name);
		shown = source;
		diag_print_excerpt(p, &place->location, false, color, place->text, &others);
	}
}

static void diag_print_one(const struct diag_printer *p, const struct diag_message *message)
{
	const char *color = message->is_error ? DIAG_COLOR_ERROR : DIAG_COLOR_WARNING;
	const struct location *at = &message->location;

	diag_color(p, DIAG_COLOR_NAME);
	fputs(diag_source(p, at)->name, p->out);
	if (at->first_line)
		fprintf(p->out, ":%d:%d", at->first_line, at->first_column);
	fputs(": ", p->out);
	diag_color(p, DIAG_COLOR_OFF);
	diag_color(p, color);
	fputs(message->is_error ? "error: " : "warning: ", p->out);
	diag_color(p, DIAG_COLOR_OFF);
	diag_color(p, DIAG_COLOR_NAME);
	fputs(message->text, p->out);
	diag_color(p, DIAG_COLOR_OFF);
	if (message->check) {
		diag_color(p, color);
		fprintf(p->out, " [%s]", message->check);
		diag_color(p, DIAG_COLOR_OFF);
	}
	putc('\n', p->out);

	diag_print_places(p, message, color);
	if (message->hint) {
		diag_color(p, DIAG_COLOR_HINT);
		fputs("  hint: ", p->out);
		diag_color(p, DIAG_COLOR_OFF);
		fprintf(p->out, "%s\n", message->hint);
	}
}

void diag_print(const struct diag *diag, FILE *out, bool has_color)
{
	const struct diag_printer p = { diag, out, has_color };

	for (const struct diag_message **message = diag_sort(diag); *message; message++)
		diag_print_one(&p, *message);
}
