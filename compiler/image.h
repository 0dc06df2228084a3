/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_IMAGE_H
#define COMPILER_IMAGE_H

#include "plan.h"
#include "policy_image.h"

/**
 * image_build() - the symbolic form of a planned policy
 * @image: set to tables in the memory of @diag; the offsets in its header are not filled
 *	   in, the emitter leaves them to the C compiler
 * @diag: has the switches and the memory; gets an error if the rules do more
 *	  different things than a program may have code for
 */
void image_build(struct policy_image *image, const struct plan *plan, const struct source *source,
		 struct diag *diag);

/**
 * image_pack() - the image as an object carries it: one block of bytes
 * @size: set to its size
 *
 * Return: the block, from @arena
 */
const void *image_pack(const struct policy_image *image, struct arena *arena, size_t *size);

#endif
