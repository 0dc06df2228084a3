/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_IMPLIES_H
#define COMPILER_IMPLIES_H

#include "test.h"

/**
 * implies() - does @then hold for every request for which @when holds?
 *
 * Compares the terms one by one. So some that do are not found, such as a test
 * of which each half is implied for another reason, but what is found is true,
 * whatever the parameters are. Of a "chance" or "every" nothing is known.
 */
bool implies(const struct test *when, const struct test *then);

#endif
