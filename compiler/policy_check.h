/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_POLICY_CHECK_H
#define COMPILER_POLICY_CHECK_H

#include "ast.h"
#include "diag.h"
#include "plan.h"
#include "policy_image.h"

/**
 * check_policy() - find what is wrong with a policy and fill in what it means
 *
 * Sets everything in ast.h that is marked "checked". What depends on sizes is
 * left to layout.h.
 */
void check_policy(struct ast_policy *policy, struct arena *arena, struct diag *diag);

/**
 * check_flushes() - find rules for flushes that leave out what other rules write
 * @image: built from @plan
 */
void check_flushes(const struct policy_image *image, const struct plan *plan, struct diag *diag);

#endif
