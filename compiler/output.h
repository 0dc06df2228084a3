/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_OUTPUT_H
#define COMPILER_OUTPUT_H

/*
 * The file that a run writes: it appears whole or not at all. Until then
 * everything lives in a directory beside it, which is gone when the run ends.
 */
#include <stdio.h>

#include "plan.h"
#include "policy_image.h"
#include "source.h"

/* Writes a text to @out */
typedef void (*output_fn)(FILE *out, const void *arg);

/**
 * output_write_text() - write what @write makes of @arg
 * @path: file to write, or "-": standard output
 *
 * Return: 0 or a negative errno, after a message on stderr.
 */
int output_write_text(const char *path, output_fn write, const void *arg);

/**
 * output_write_object() - write the policy's program as a BPF object
 * @image: of the policy
 * @source: the policy file
 *
 * The rest is as for output_write_text().
 */
int output_write_object(const struct policy_image *image, const struct plan *plan,
			const struct source *source, const char *path);

#endif
