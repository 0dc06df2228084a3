/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_POLICY_CHECK_H
#define COMPILER_POLICY_CHECK_H

#include "ast.h"
#include "diag.h"

/**
 * check_policy() - find what is wrong with a policy and fill in what it means
 *
 * Sets everything in ast.h that is marked "checked". What depends on sizes is
 * left to layout.h.
 */
void check_policy(struct ast_policy *policy, struct arena *arena, struct diag *diag);

#endif
