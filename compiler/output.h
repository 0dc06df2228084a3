/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_OUTPUT_H
#define COMPILER_OUTPUT_H

/*
 * The file that a run writes: it appears whole or not at all. Until then
 * everything lives in a directory beside it, which is gone when the run ends.
 */
#include "policy_image.h"
#include "source.h"

/**
 * output_write_c() - write the policy's program as C
 * @source: the policy file
 * @path: file to write, or "-": standard output
 *
 * Return: 0 or a negative errno, after a message on stderr.
 */
int output_write_c(const struct policy_image *image, const struct source *source, const char *path);

/** output_write_object() - the same as a BPF object */
int output_write_object(const struct policy_image *image, const struct source *source,
			const char *path);

#endif
