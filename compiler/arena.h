/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_ARENA_H
#define COMPILER_ARENA_H

/*
 * Memory of one compilation. Everything is freed at once, so nothing that is
 * built from a policy has an owner to think about. Running out of memory ends
 * the process with exit code 3.
 */
#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/** arena_alloc() - zeroed memory, aligned for any type; never NULL */
void *arena_alloc(struct arena *arena, size_t size);

/** arena_strndup() - copy of @length bytes of @text, NUL-terminated */
char *arena_strndup(struct arena *arena, const char *text, size_t length);

/** arena_printf() - formatted text */
char *arena_printf(struct arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** arena_free() - free everything; @arena is empty afterwards and usable */
void arena_free(struct arena *arena);

#endif
