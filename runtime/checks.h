/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_CHECKS_H
#define RUNTIME_CHECKS_H

/*
 * The checks of a policy by name. The compiler's command line switches them; the
 * object carries the result, because the loader runs those that need sizes.
 */
#include <stdbool.h>

#include "ublkpol_object.h"

struct check_info {
	const char *name;
	bool is_error; /* by default; else a warning */
	const char *summary; /* for lists of all checks */
};

/* Indexed by enum ublkpol_check */
extern const struct check_info check_table[UBLKPOL_NR_CHECKS];

enum check_level {
	CHECK_OFF,
	CHECK_WARNING,
	CHECK_ERROR,
};

/** checks_default() - every check on, at its own level */
struct ublkpol_check_levels checks_default(void);

/** checks_level() - what a finding of @check means under @levels */
enum check_level checks_level(const struct ublkpol_check_levels *levels, enum ublkpol_check check);

/** checks_find() - the check called @name, or UBLKPOL_NR_CHECKS */
enum ublkpol_check checks_find(const char *name);

#endif
