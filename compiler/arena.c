// SPDX-License-Identifier: GPL-2.0-only
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "exit_code.h"

#ifndef ARENA_BLOCK_SIZE
#define ARENA_BLOCK_SIZE (64U << 10)
#endif

struct arena_block {
	struct arena_block *next;
	size_t size;
	size_t used;
	alignas(max_align_t) char data[];
};

static struct arena_block *arena_grow(struct arena *arena, size_t size)
{
	struct arena_block *block;

	if (size < ARENA_BLOCK_SIZE)
		size = ARENA_BLOCK_SIZE;
	block = calloc(1, sizeof(*block) + size);
	if (!block) {
		fputs("ublkpolc: out of memory\n", stderr);
		exit(EXIT_CODE_SYSTEM);
	}
	block->size = size;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *memory;

	size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!block || block->size - block->used < size)
		block = arena_grow(arena, size);
	memory = block->data + block->used;
	block->used += size;
	return memory;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	memcpy(copy, text, length);
	return copy;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, fmt);
	length = vsnprintf(NULL, 0, fmt, args);
	va_end(args);

	text = arena_alloc(arena, length + 1);
	va_start(args, fmt);
	vsnprintf(text, length + 1, fmt, args);
	va_end(args);
	return text;
}

void arena_free(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}
