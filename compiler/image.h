/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_IMAGE_H
#define COMPILER_IMAGE_H

#include "ast.h"
#include "policy_image.h"

/**
 * image_build() - the symbolic form of a checked policy
 * @image: set to tables in @arena; the offsets in its header are not filled
 *	   in, the emitter leaves them to the C compiler
 */
void image_build(struct policy_image *image, const struct ast_policy *policy,
		 const struct source *source, const struct ublkpol_check_levels *checks,
		 struct arena *arena);

#endif
