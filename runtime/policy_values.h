/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_POLICY_VALUES_H
#define RUNTIME_POLICY_VALUES_H

/* What the parameters and sets of a policy are on one device */
#include "error.h"
#include "resolve.h"

struct policy_values {
	__u64 *params; /* one for each parameter of the image, in its unit */
	struct resolve_set *sets; /* one for each set */
	__u32 nr_sets;
};

/** policy_values_init() - the values that the policy declares; 0 or -ENOMEM */
int policy_values_init(struct policy_values *values, const struct policy_image *image);

/** policy_values_free() - free what the values hold */
void policy_values_free(struct policy_values *values);

/**
 * policy_values_set() - change one parameter or set
 * @name: of it
 * @text: a number with the unit that the policy gives the parameter, such as
 *	  "64KiB", or ranges as range_text.h has them
 *
 * Return: 0 or a negative errno.
 */
int policy_values_set(struct policy_values *values, const struct policy_image *image,
		      const char *name, const char *text, struct ublkpol_error *err);

/**
 * policy_values_text() - parameter @i as policy_values_set() takes it
 *
 * Return: a string to be freed, or NULL without memory
 */
char *policy_values_text(const struct policy_values *values, const struct policy_image *image,
			 __u32 i);

/** policy_values_program() - parameter @i as the program wants it */
__u64 policy_values_program(const struct policy_values *values, const struct policy_image *image,
			    __u32 i);

#endif
