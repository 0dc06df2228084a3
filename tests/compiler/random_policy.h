/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_RANDOM_POLICY_H
#define TESTS_COMPILER_RANDOM_POLICY_H

/*
 * Random policies, as text. Most of them are right: they lay the device out so
 * that every LBA has a place of its own, and put rules before that which decide
 * whatever else a policy may decide. Some are spoilt on purpose.
 */
#include <stdbool.h>
#include <stdint.h>

#define RANDOM_MAX_BACKENDS 12

struct random_policy {
	unsigned int block; /* of the device, sectors */
	/* Backend b is called "b<b>" or "fd<b>"; not all of them need be used */
	uint64_t backend_sectors[RANDOM_MAX_BACKENDS];
};

/** random_seed() - start a reproducible series of numbers */
void random_seed(uint64_t seed);

/** random_below() - a number from 0 to @limit - 1; @limit is at least 1 */
uint64_t random_below(uint64_t limit);

/** random_chance() - true so often */
bool random_chance(unsigned int percent);

/**
 * random_policy_write() - draw a policy and write DIRECTORY/NAME.ublkpol
 *
 * Beside it, NAME.inc and NAME.ranges are written for policies that name them.
 * Return: 0 or a negative errno.
 */
int random_policy_write(struct random_policy *policy, const char *directory, const char *name);

/** random_policy_backend() - number of the backend called @name */
unsigned int random_policy_backend(const char *name);

#endif
