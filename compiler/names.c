// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "names.h"

#define NAMES_MAX_LENGTH 31
#define NAMES_MAX_ERRNO	 133 /* EHWPOISON, the last one of Linux */

static unsigned int names_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int names_distance(const char *a, const char *b)
{
	unsigned int rows[NAMES_MAX_LENGTH + 1][NAMES_MAX_LENGTH + 1];
	size_t length_a = strlen(a);
	size_t length_b = strlen(b);

	if (length_a > NAMES_MAX_LENGTH || length_b > NAMES_MAX_LENGTH)
		return UINT_MAX;

	for (size_t i = 0; i <= length_a; i++) {
		for (size_t j = 0; j <= length_b; j++) {
			unsigned int same;

			if (!i || !j) {
				rows[i][j] = i + j;
				continue;
			}
			same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
			rows[i][j] = names_min(rows[i - 1][j - 1] + !same,
					       names_min(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = names_min(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[length_a][length_b];
}

const char *names_closest(const char *word, const char *const *candidates, size_t count)
{
	/* One edit in a short word, two in a longer one: else a guess would only confuse */
	unsigned int limit = strlen(word) <= 3 ? 1 : 2;
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		unsigned int distance = names_distance(word, candidates[i]);

		if (distance > limit || distance >= strlen(candidates[i]))
			continue;
		best = candidates[i];
		limit = distance;
		if (!distance)
			break;
	}
	return best;
}

int names_errno(const char *name)
{
	/* strerrorname_np() has one name for each number */
	static const struct {
		const char *name;
		int number;
	} others[] = {
		{ "EDEADLOCK", EDEADLOCK },
		{ "ENOTSUP", ENOTSUP },
		{ "EWOULDBLOCK", EWOULDBLOCK },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (!strcmp(others[i].name, name))
			return others[i].number;
	}
	for (int i = 1; i <= NAMES_MAX_ERRNO; i++) {
		const char *known = strerrorname_np(i);

		if (known && !strcmp(known, name))
			return i;
	}
	return 0;
}

const char *names_closest_errno(const char *word)
{
	const char *candidates[NAMES_MAX_ERRNO];
	size_t count = 0;

	for (int i = 1; i <= NAMES_MAX_ERRNO; i++) {
		const char *known = strerrorname_np(i);

		if (known)
			candidates[count++] = known;
	}
	return names_closest(word, candidates, count);
}
