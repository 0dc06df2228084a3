/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_POLICY_IMAGE_H
#define RUNTIME_POLICY_IMAGE_H

/*
 * The symbolic form of a policy, as a compiled object carries it: see
 * ublkpol_object.h. The compiler builds one, the runtime reads one from a file
 * that may come from anywhere.
 */
#include <stdbool.h>
#include <stddef.h>

#include "ublkpol_object.h"

struct ublkpol_error;

/* The tables of an image; they belong to whoever holds the image */
struct policy_image {
	const struct ublkpol_header *header;
	const struct ublkpol_backend *backends;
	const struct ublkpol_rule *rules;
	const struct ublkpol_target *targets;
	const struct ublkpol_list *lists;
	const struct ublkpol_part *parts;
	const __u32 *outcomes;
	const struct ublkpol_set *sets;
	const struct ublkpol_param *params;
	const __u32 *legs;
	const struct ublkpol_range *ranges;
	const char *strings;
};

/**
 * policy_image_open() - check an image and find its tables
 * @image: set to point into @data; valid when 0 is returned
 * @data: image, aligned to 8 bytes; must outlive @image
 * @size: of @data in bytes; at least header.image_size
 * @err: what is wrong, in words for whoever got the file
 *
 * Every offset, count, index and string is checked: what passes can be used
 * without further checks, whoever wrote it. Return: 0 or -EINVAL.
 */
int policy_image_open(struct policy_image *image, const void *data, size_t size,
		      struct ublkpol_error *err);

/** policy_image_target() - what rule @rule does */
static inline const struct ublkpol_target *policy_image_target(const struct policy_image *image,
							       __u32 rule)
{
	return &image->targets[image->rules[rule].target];
}

/** policy_image_legs() - the backends of a target; bit s: backend s */
static inline __u64 policy_image_legs(const struct policy_image *image,
				      const struct ublkpol_target *target)
{
	__u64 legs = 0;

	for (__u32 i = 0; i < target->nr_legs; i++)
		legs |= 1ULL << image->legs[target->first_leg + i];
	return legs;
}

/** policy_image_rule_legs() - the backends that rule @rule leads to */
static inline __u64 policy_image_rule_legs(const struct policy_image *image, __u32 rule)
{
	return policy_image_legs(image, policy_image_target(image, rule));
}

/** policy_image_written() - the backends that rule @rule may leave data on */
static inline __u64 policy_image_written(const struct policy_image *image, __u32 rule)
{
	return image->rules[rule].ops & UBLKPOL_WRITE_OPS ? policy_image_rule_legs(image, rule) : 0;
}

#define POLICY_IMAGE_WHERE_SIZE 128

/**
 * policy_image_where() - where a rule is written, for texts that people read
 * @text: set to "line 7", for a rule of a file that the policy includes "FILE:7"; what does
 *	not fit is left out at the start of FILE
 *
 * Return: @text.
 */
const char *policy_image_where(const struct policy_image *image, const struct ublkpol_rule *rule,
			       char text[POLICY_IMAGE_WHERE_SIZE]);

/** policy_image_backend_target() - the target that is this backend alone, or UBLKPOL_NO_TARGET */
__u32 policy_image_backend_target(const struct policy_image *image, __u32 backend);

/** policy_image_has_legs() - does a target of this kind lead to backends? */
static inline bool policy_image_has_legs(__u32 action)
{
	return action == UBLKPOL_ACTION_BACKEND || action == UBLKPOL_ACTION_STRIPE ||
	       action == UBLKPOL_ACTION_CONCAT || action == UBLKPOL_ACTION_MIRROR ||
	       action == UBLKPOL_ACTION_HASH;
}

#endif
