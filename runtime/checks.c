// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "checks.h"

const struct check_info check_table[UBLKPOL_NR_CHECKS] = {
	[UBLKPOL_CHECK_COHERENCE] = { "coherence", true,
				      "an LBA is read from another place than it is written to" },
	[UBLKPOL_CHECK_ALIAS] = { "alias", true,
				  "two LBAs share a sector of a backend that is written" },
	[UBLKPOL_CHECK_OVERCOMMIT] = { "overcommit", true,
				       "a rule needs more of a backend than the backend holds" },
	[UBLKPOL_CHECK_GAP] = { "gap", false, "no rule matches some reads or writes" },
	[UBLKPOL_CHECK_MISSING_DEFAULT] = { "missing-default", false,
					    "requests that no rule matches are possible, and there "
					    "is no 'default'" },
	[UBLKPOL_CHECK_OVERLAP] = { "overlap", false,
				    "ranges overlap, and none of them holds the other" },
	[UBLKPOL_CHECK_SHADOWED] = { "shadowed", false,
				     "earlier rules match everything that a rule would match" },
	[UBLKPOL_CHECK_UNREACHABLE_RANGE] = { "unreachable-range", false,
					      "earlier rules match all of one range of a rule" },
	[UBLKPOL_CHECK_UNALIGNED] = { "unaligned", false,
				      "a boundary lies inside a block and is rounded down" },
	[UBLKPOL_CHECK_UNUSED_BACKEND] = { "unused-backend", false,
					   "no rule uses a backend that is declared" },
	[UBLKPOL_CHECK_UNUSED_SET] = { "unused-set", false, "no rule uses a set" },
	[UBLKPOL_CHECK_UNUSED_PARAM] = { "unused-param", false, "nothing uses a parameter" },
	[UBLKPOL_CHECK_UNFLUSHED] = { "unflushed", true,
				      "a flush misses a backend that rules write to" },
};

struct ublkpol_check_levels checks_default(void)
{
	struct ublkpol_check_levels levels = { 0 };

	for (int i = 0; i < UBLKPOL_NR_CHECKS; i++)
		levels.errors |= check_table[i].is_error ? 1U << i : 0;
	return levels;
}

enum check_level checks_level(const struct ublkpol_check_levels *levels, enum ublkpol_check check)
{
	if (levels->off & 1U << check)
		return CHECK_OFF;
	return levels->errors & 1U << check ? CHECK_ERROR : CHECK_WARNING;
}

enum ublkpol_check checks_find(const char *name)
{
	int i = 0;

	while (i < UBLKPOL_NR_CHECKS && strcmp(check_table[i].name, name))
		i++;
	return i;
}
