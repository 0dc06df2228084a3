/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_INTERPRETER_FRONT_H
#define TESTS_INTERPRETER_FRONT_H

/* The compiler up to its checks, in the process of a test */
#include <stdint.h>

#include "arena.h"
#include "ast.h"
#include "diag.h"
#include "plan.h"
#include "policy_image.h"
#include "resolve.h"

struct front {
	struct arena arena;
	struct source source;
	struct ast_policy policy;
	struct plan plan;
	struct policy_image image;
	struct diag diag;
	bool *is_shadowed; /* by rule: no request reaches it, says the compiler */
};

/**
 * front_open() - read a policy
 *
 * @front is to be closed with front_close() in any case. Return: 0, or a
 * negative errno, -EINVAL if the policy has errors.
 */
int front_open(struct front *front, const char *path);

void front_close(struct front *front);

/** front_backend() - index of the backend called @name in the AST, or -1 */
int front_backend(const struct front *front, const char *name);

/**
 * front_fits() - does it load on backends of these sizes?
 * @sectors: by the index of the AST, whole blocks
 * @block: of the device, bytes
 */
bool front_fits(struct front *front, const uint64_t *sectors, unsigned int block);

#endif
