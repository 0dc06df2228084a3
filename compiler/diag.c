// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"

void diag_init(struct diag *diag, struct arena *arena, const struct source *source)
{
	*diag = (struct diag){ .arena = arena, .source = source, .checks = checks_default() };
}

static const char *diag_format(const struct diag *diag, const char *fmt, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), fmt, args);
	return arena_strndup(diag->arena, text, strlen(text));
}

static bool diag_is_repeated(const struct diag *diag, struct location location, const char *text)
{
	const struct diag_message *last = diag->messages;

	return last && !strcmp(last->text, text) && last->location.source == location.source &&
	       last->location.first_line == location.first_line &&
	       last->location.first_column == location.first_column;
}

static void diag_add(struct diag *diag, bool is_error, const char *check, struct location location,
		     const char *hint, const char *text)
{
	struct diag_message *message = arena_alloc(diag->arena, sizeof(*message));

	/* Reads and writes of one rule often have the same fault */
	diag->is_last_dropped = diag_is_repeated(diag, location, text);
	if (diag->is_last_dropped)
		return;
	*message = (struct diag_message){
		.next = diag->messages,
		.is_error = is_error,
		.order = diag->nr_errors + diag->nr_warnings,
		.check = check,
		.text = text,
		.hint = hint,
		.location = location,
	};
	diag->messages = message;
	diag->nr_errors += is_error;
	diag->nr_found += is_error && check;
	diag->nr_warnings += !is_error;
}

void diag_error(struct diag *diag, struct location location, const char *hint, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	diag_add(diag, true, NULL, location, hint, diag_format(diag, fmt, args));
	va_end(args);
}

void diag_check(struct diag *diag, enum ublkpol_check check, struct location location,
		const char *hint, const char *fmt, ...)
{
	enum check_level level = checks_level(&diag->checks, check);
	va_list args;

	if (level == CHECK_OFF) {
		diag->is_last_dropped = true;
		return;
	}
	va_start(args, fmt);
	diag_add(diag, level == CHECK_ERROR, check_table[check].name, location, hint,
		 diag_format(diag, fmt, args));
	va_end(args);
}

void diag_also(struct diag *diag, struct location location, const char *text)
{
	struct diag_place *place, **end;

	if (diag->is_last_dropped || !diag->messages)
		return;
	place = arena_alloc(diag->arena, sizeof(*place));
	place->location = location;
	place->text = text;
	for (end = &diag->messages->places; *end; end = &(*end)->next)
		;
	*end = place;
}

static int diag_compare(const void *a, const void *b)
{
	const struct diag_message *const *first = a;
	const struct diag_message *const *second = b;
	const struct location *x = &(*first)->location;
	const struct location *y = &(*second)->location;
	unsigned int x_file = x->source ? x->source->order : 0;
	unsigned int y_file = y->source ? y->source->order : 0;

	if (x_file != y_file)
		return x_file < y_file ? -1 : 1;
	if (x->first_line != y->first_line)
		return x->first_line < y->first_line ? -1 : 1;
	if (x->first_column != y->first_column)
		return x->first_column < y->first_column ? -1 : 1;
	return (*first)->order - (*second)->order;
}

const struct diag_message **diag_sort(const struct diag *diag)
{
	int count = diag->nr_errors + diag->nr_warnings;
	const struct diag_message **sorted;
	int i = 0;

	sorted = arena_alloc(diag->arena, (count + 1) * sizeof(*sorted));
	for (const struct diag_message *m = diag->messages; m; m = m->next)
		sorted[i++] = m;
	qsort(sorted, count, sizeof(*sorted), diag_compare);
	return sorted;
}
