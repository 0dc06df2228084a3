/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_EMIT_H
#define COMPILER_EMIT_H

#include <stdio.h>

#include "plan.h"
#include "policy_image.h"

/**
 * emit_program() - write the policy's program as C
 * @out: where to; the caller checks it for errors
 * @image: the policy in symbolic form
 * @plan: the plan that the image was built from
 * @policy_file: what the verifier's messages call the policy
 * @program_file: what they call the program itself
 * @image_file: file beside the program that holds the image, as image_pack() makes
 *		it; NULL: the program spells the image out
 */
void emit_program(FILE *out, const struct policy_image *image, const struct plan *plan,
		  const char *policy_file, const char *program_file, const char *image_file);

#endif
