/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_NAMES_H
#define COMPILER_NAMES_H

/* Words: which one did the user mean? */
#include <stddef.h>

/**
 * names_distance() - edits (insert, delete, replace, swap neighbours) from @a to @b
 *
 * Upper and lower case are the same. Words longer than 31 bytes are far from
 * everything.
 */
unsigned int names_distance(const char *a, const char *b);

/**
 * names_closest() - the candidate that @word is probably a misspelling of
 *
 * Return: one of @candidates, or NULL if none is close enough
 */
const char *names_closest(const char *word, const char *const *candidates, size_t count);

/** names_errno() - number of an errno name such as "EIO", or 0 */
int names_errno(const char *name);

/** names_closest_errno() - the errno name that @word probably means, or NULL */
const char *names_closest_errno(const char *word);

#endif
