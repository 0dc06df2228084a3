// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "source.h"

#define SOURCE_MAX_LENGTH (64U << 20) /* columns and offsets are ints */

static int source_load(struct source *source, struct arena *arena, FILE *file)
{
	size_t capacity = 64U << 10;
	size_t got;

	source->text = arena_alloc(arena, capacity + 3);
	while ((got = fread(source->text + source->length, 1, capacity - source->length, file))) {
		source->length += got;
		if (source->length > SOURCE_MAX_LENGTH)
			return -EFBIG;
		if (source->length == capacity) {
			char *bigger = arena_alloc(arena, 2 * capacity + 3);

			memcpy(bigger, source->text, source->length);
			source->text = bigger;
			capacity *= 2;
		}
	}
	return ferror(file) ? -errno : 0;
}

static void source_index_lines(struct source *source, struct arena *arena)
{
	const char *end = source->text + source->length;
	int line = 0;

	for (const char *p = source->text; p < end; p++)
		source->nr_lines += *p == '\n';

	source->lines = arena_alloc(arena, (source->nr_lines + 1) * sizeof(*source->lines));
	for (const char *p = source->text; p < end; p = strchr(p, '\n') + 1)
		source->lines[line++] = p;
}

/* A newline and two NULs at the end, for which there is room */
static void source_finish(struct source *source, struct arena *arena)
{
	if (source->length && source->text[source->length - 1] != '\n')
		source->text[source->length++] = '\n';
	source->text[source->length] = '\0';
	source->text[source->length + 1] = '\0';
	source_index_lines(source, arena);
}

int source_read(struct source *source, struct arena *arena, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *file = is_stdin ? stdin : fopen(path, "re");
	int err;

	if (!file)
		return -errno;

	*source = (struct source){ .name = is_stdin ? "standard input" : path };
	err = source_load(source, arena, file);
	if (!is_stdin)
		fclose(file);
	if (err)
		return err;
	if (memchr(source->text, '\0', source->length))
		return -EINVAL;
	source_finish(source, arena);
	return 0;
}

void source_from_text(struct source *source, struct arena *arena, const char *name,
		      const char *text)
{
	*source = (struct source){ .name = name, .length = strlen(text) };
	source->text = arena_alloc(arena, source->length + 3);
	memcpy(source->text, text, source->length);
	source_finish(source, arena);
}

const char *source_path_beside(const struct source *source, struct arena *arena, const char *path)
{
	const char *slash = strrchr(source->name, '/');

	if (*path == '/' || !slash)
		return path;
	return arena_printf(arena, "%.*s%s", (int)(slash + 1 - source->name), source->name, path);
}

const char *source_line(const struct source *source, int line, size_t *length)
{
	*length = 0;
	if (line < 1 || line > source->nr_lines)
		return "";
	*length = strcspn(source->lines[line - 1], "\r\n");
	return source->lines[line - 1];
}

const char *source_text(const struct source *source, struct arena *arena, struct location location)
{
	if (location.source)
		source = location.source;

	const char *from = source->lines[location.first_line - 1] + location.first_column - 1;
	const char *to = source->lines[location.last_line - 1] + location.last_column - 1;
	char *text = arena_alloc(arena, to - from + 1);
	char *out = text;

	while (from < to) {
		const char *word = from;

		while (from < to && !strchr(" \t\r\n#", *from))
			from++;
		memcpy(out, word, from - word);
		out += from - word;

		word = from;
		while (from < to && strchr(" \t\r\n#", *from))
			from += *from == '#' ? strcspn(from, "\n") : 1;
		if (from > word && from < to)
			*out++ = ' ';
	}
	return text;
}
