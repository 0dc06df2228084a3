/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_TRIAL_H
#define TESTS_COMPILER_TRIAL_H

/* One policy, in the eyes of the interpreter and of two ways to run its program */
#include "front.h"
#include "interpret.h"
#include "policy_object.h"
#include "random_policy.h"
#include "routers.h"

#define TRIAL_MAX_SECTORS 4096

struct trial {
	uint64_t seed;
	struct random_policy drawn;
	struct front front;
	struct interpreter in;
	uint64_t sectors[64]; /* of each backend, by its index in the AST */
	int slots[64]; /* of each backend in the object, by its index in the AST, or -1 */
	struct policy_object *object;
	struct router routers[2];
	unsigned int nr_routers;
	unsigned int nr_decisions;
	unsigned int nr_split; /* of them: in more parts than one */
	unsigned int nr_refused; /* of them: errors and what goes to the user */
	char complaint[512];
};

/** trial_complain() - remember what is wrong; returns -1 */
int __attribute__((format(printf, 2, 3))) trial_complain(struct trial *trial, const char *fmt, ...);

/**
 * trial_requests() - send random requests through all routers and compare
 *
 * Return: 0, or -1 after a complaint
 */
int trial_requests(struct trial *trial, unsigned int count);

#endif
