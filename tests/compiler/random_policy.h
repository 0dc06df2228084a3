/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_RANDOM_POLICY_H
#define TESTS_COMPILER_RANDOM_POLICY_H

/*
 * Random policies for the differential test. A policy is drawn as a structure
 * and printed: the reference model works on the structure and never sees the
 * text, so that it shares nothing with the compiler.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define RANDOM_MAX_RULES    12
#define RANDOM_MAX_RANGES   4
#define RANDOM_MAX_BACKENDS 6

enum random_unit {
	RANDOM_SECTORS,
	RANDOM_KIB,
	RANDOM_PERCENT, /* in hundredths */
	RANDOM_END,
};

struct random_bound {
	enum random_unit unit;
	uint64_t value;
};

struct random_range {
	struct random_bound first;
	struct random_bound last;
};

enum random_action {
	RANDOM_BACKEND,
	RANDOM_STRIPE,
	RANDOM_ERROR,
};

struct random_rule {
	bool is_default;
	bool has_ops;
	bool reads, writes, flushes;
	unsigned int nr_ranges; /* 0: every LBA */
	struct random_range ranges[RANDOM_MAX_RANGES];
	enum random_action action;
	unsigned int legs[RANDOM_MAX_BACKENDS];
	unsigned int nr_legs;
	uint64_t chunk; /* sectors */
	bool has_at;
	uint64_t at; /* sectors */
	int error;
};

struct random_policy {
	uint64_t block; /* sectors */
	bool declares_block;
	uint64_t size; /* sectors; 0: none declared */
	uint64_t backend_sectors[RANDOM_MAX_BACKENDS];
	unsigned int nr_backends; /* not all of them need be used */
	struct random_rule rules[RANDOM_MAX_RULES];
	unsigned int nr_rules;
};

/** random_seed() - start a reproducible series of numbers */
void random_seed(uint64_t seed);

/** random_below() - a number from 0 to @limit - 1; @limit is at least 1 */
uint64_t random_below(uint64_t limit);

/** random_policy_draw() - draw a policy and the sizes of its backends */
void random_policy_draw(struct random_policy *policy);

/** random_policy_print() - write it in the policy language; backend b is "b<b>" */
void random_policy_print(const struct random_policy *policy, FILE *out);

#endif
