// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

#define DIAG_INDENT    "    "
#define DIAG_MAX_WIDTH 96U /* bytes of a line that are shown */

struct diag_message {
	struct diag_message *next;
	enum diag_level level;
	int order;
	const char *check;
	const char *text;
	const char *hint;
	struct location location;
};

void diag_add(struct diag *diag, enum diag_level level, const char *check, struct location location,
	      const char *hint, const char *fmt, ...)
{
	struct diag_message *message = arena_alloc(diag->arena, sizeof(*message));
	va_list args;
	char text[512];

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);

	*message = (struct diag_message){
		.next = diag->messages,
		.level = level,
		.order = diag->nr_errors + diag->nr_warnings,
		.check = check,
		.text = arena_strndup(diag->arena, text, strlen(text)),
		.hint = hint,
		.location = location,
	};
	diag->messages = message;
	if (level == DIAG_ERROR)
		diag->nr_errors++;
	else
		diag->nr_warnings++;
}

static int diag_compare(const void *a, const void *b)
{
	const struct diag_message *const *first = a;
	const struct diag_message *const *second = b;
	const struct location *x = &(*first)->location;
	const struct location *y = &(*second)->location;

	if (x->first_line != y->first_line)
		return x->first_line < y->first_line ? -1 : 1;
	if (x->first_column != y->first_column)
		return x->first_column < y->first_column ? -1 : 1;
	return (*first)->order - (*second)->order;
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
	while (*to < length && diag_is_utf8_continuation(line[*to]))
		(*to)++;
}

static void diag_print_excerpt(const struct diag *diag, const struct location *at, FILE *out)
{
	size_t length, from, to;
	const char *line = source_line(diag->source, at->first_line, &length);
	size_t first = at->first_column - 1;
	size_t last = at->last_line == at->first_line ? (size_t)at->last_column - 1 : length;

	diag_clip(line, length, first, &from, &to);
	if (last > to)
		last = to;
	fprintf(out, DIAG_INDENT "%s%.*s%s\n" DIAG_INDENT "%s", from ? "..." : "", (int)(to - from),
		line + from, to < length ? "..." : "", from ? "   " : "");
	for (size_t i = from; i < first && i < to; i++) {
		if (!diag_is_utf8_continuation(line[i]))
			putc(line[i] == '\t' ? '\t' : ' ', out);
	}
	putc('^', out);
	for (size_t i = first + 1; i < last; i++) {
		if (!diag_is_utf8_continuation(line[i]))
			putc('~', out);
	}
	putc('\n', out);
}

static void diag_print_one(const struct diag *diag, const struct diag_message *message, FILE *out)
{
	const struct location *at = &message->location;

	fputs(diag->source->name, out);
	if (at->first_line)
		fprintf(out, ":%d:%d", at->first_line, at->first_column);
	fprintf(out, ": %s: %s", message->level == DIAG_ERROR ? "error" : "warning", message->text);
	if (message->check)
		fprintf(out, " [%s]", message->check);
	putc('\n', out);
	if (at->first_line)
		diag_print_excerpt(diag, at, out);
	if (message->hint)
		fprintf(out, DIAG_INDENT "hint: %s\n", message->hint);
}

void diag_print(struct diag *diag, FILE *out)
{
	int count = diag->nr_errors + diag->nr_warnings;
	const struct diag_message **sorted;
	int i = 0;

	sorted = arena_alloc(diag->arena, (count + 1) * sizeof(*sorted));
	for (const struct diag_message *m = diag->messages; m; m = m->next)
		sorted[i++] = m;
	qsort(sorted, count, sizeof(*sorted), diag_compare);
	for (i = 0; i < count; i++)
		diag_print_one(diag, sorted[i], out);
	diag->messages = NULL;
}
