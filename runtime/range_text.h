/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_RANGE_TEXT_H
#define RUNTIME_RANGE_TEXT_H

/*
 * Files of LBA ranges: what a policy's set is read from, when it is compiled
 * and when it is replaced on a live device. Ranges are written as in the policy
 * language and separated by blanks, commas or line ends; '#' starts a comment:
 *
 *	0-64KiB, 1-2GiB		# the second end's unit serves both
 *	90%-end
 *	2048-4096		# sectors
 */
#include <stddef.h>

#include "ublkpol_object.h"

struct range_text_error {
	unsigned int line; /* from 1; 0: the file as a whole */
	unsigned int column; /* from 1 */
	const char *text; /* what is wrong; never freed */
};

/**
 * range_text_parse() - read ranges from text
 * @text: need not end with a NUL
 * @ranges: set to an array from malloc(); its bounds have the line as column
 * @nr: set to its length
 * @error: filled in when the text is wrong
 *
 * Return: 0, -EINVAL or -ENOMEM.
 */
int range_text_parse(const char *text, size_t length, struct ublkpol_range **ranges, size_t *nr,
		     struct range_text_error *error);

/**
 * range_text_size() - read one size, as the policy language writes it
 * @error: filled in when the text is wrong, as range_text_parse() does
 *
 * Return: 0 or -EINVAL.
 */
int range_text_size(const char *text, __u64 *bytes, struct range_text_error *error);

/** range_text_read() - the same from a file of up to 256 MiB; 0 or a negative errno */
int range_text_read(const char *path, struct ublkpol_range **ranges, size_t *nr,
		    struct range_text_error *error);

#endif
