/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_LAYOUT_H
#define COMPILER_LAYOUT_H

#include "ast.h"
#include "diag.h"
#include "policy_image.h"

/**
 * layout_check() - the checks of the loader, as far as sizes are known
 * @size: of the device in bytes, or 0: the policy's own, or one that makes no
 *	  difference, or none at all
 */
void layout_check(const struct policy_image *image, const struct ast_policy *policy, __u64 size,
		  struct diag *diag);

#endif
