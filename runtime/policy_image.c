// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/ublk_bpf.h>

#include "error.h"
#include "policy_image.h"

#define IMAGE_ALIGN	  8
#define IMAGE_MAX_ERRNO	  4095
#define IMAGE_PERCENT_MAX 100000000000ULL
#define IMAGE_ALL_OPS	  ((1U << UBLKPOL_NR_OPS) - 1)

static int image_error(struct ublkpol_error *err, const char *what)
{
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 "the object's policy is damaged (%s): compile it again", what);
}

/* NULL if the table does not lie inside the image */
static const void *image_table(const void *data, __u32 image_size, __u32 offset, __u32 count,
			       size_t entry_size)
{
	if (offset % IMAGE_ALIGN || offset < sizeof(struct ublkpol_header) || offset > image_size)
		return NULL;
	if ((__u64)count * entry_size > image_size - offset)
		return NULL;
	return (const char *)data + offset;
}

static int image_check_header(const void *data, size_t size, struct ublkpol_error *err)
{
	const struct ublkpol_header *header = data;

	if (size < sizeof(*header) || (uintptr_t)data % IMAGE_ALIGN)
		return image_error(err, "too short");
	if (header->magic != UBLKPOL_MAGIC)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "this is no policy: compile it with ublkpolc");
	if (header->version != UBLKPOL_VERSION)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "the policy has format %u and this program reads format %u: "
				 "compile it again",
				 header->version, UBLKPOL_VERSION);
	if (header->image_size > size || header->image_size < sizeof(*header))
		return image_error(err, "size");
	if (header->nr_backends > UBLK_BPF_MAX_SLOTS)
		return image_error(err, "number of backends");
	if (header->nr_conditions[0] > UBLKPOL_MAX_CONDITIONS ||
	    header->nr_conditions[1] > UBLKPOL_MAX_CONDITIONS ||
	    header->nr_mirrors > header->nr_targets || header->nr_modifiers > header->nr_rules)
		return image_error(err, "number of conditions");
	if (header->size % 512 || header->size > INT64_MAX)
		return image_error(err, "device size");
	if (header->block && (header->block < 512 || header->block & (header->block - 1)))
		return image_error(err, "block size");
	return 0;
}

static int image_find_tables(struct policy_image *image, const void *data)
{
	const struct ublkpol_header *header = data;
	__u32 size = header->image_size;

	image->header = header;
	image->backends = image_table(data, size, header->backends, header->nr_backends,
				      sizeof(*image->backends));
	image->rules =
		image_table(data, size, header->rules, header->nr_rules, sizeof(*image->rules));
	image->targets = image_table(data, size, header->targets, header->nr_targets,
				     sizeof(*image->targets));
	image->lists =
		image_table(data, size, header->lists, header->nr_lists, sizeof(*image->lists));
	image->parts =
		image_table(data, size, header->parts, header->nr_parts, sizeof(*image->parts));
	image->outcomes = image_table(data, size, header->outcomes, header->nr_outcomes,
				      sizeof(*image->outcomes));
	image->sets = image_table(data, size, header->sets, header->nr_sets, sizeof(*image->sets));
	image->params =
		image_table(data, size, header->params, header->nr_params, sizeof(*image->params));
	image->legs = image_table(data, size, header->legs, header->nr_legs, sizeof(*image->legs));
	image->ranges =
		image_table(data, size, header->ranges, header->nr_ranges, sizeof(*image->ranges));
	image->strings = image_table(data, size, header->strings, header->strings_size, 1);

	if (!image->backends || !image->rules || !image->targets || !image->lists ||
	    !image->parts || !image->outcomes || !image->sets || !image->params || !image->legs ||
	    !image->ranges || !image->strings)
		return -EINVAL;
	/* With a NUL at the end of the table every string in it ends */
	if (!header->strings_size || image->strings[header->strings_size - 1])
		return -EINVAL;
	return 0;
}

static bool image_is_string(const struct policy_image *image, __u32 offset)
{
	return offset < image->header->strings_size;
}

static bool image_has_duplicate_backend(const struct policy_image *image, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (!strcmp(image->strings + image->backends[i].name,
			    image->strings + image->backends[nr].name))
			return true;
	}
	return false;
}

static int image_check_backends(const struct policy_image *image, struct ublkpol_error *err)
{
	for (unsigned int i = 0; i < image->header->nr_backends; i++) {
		const struct ublkpol_backend *backend = &image->backends[i];

		if (!image_is_string(image, backend->name) ||
		    !image_is_string(image, backend->path) || !image->strings[backend->name] ||
		    image_has_duplicate_backend(image, i))
			return image_error(err, "name of a backend");
	}
	return 0;
}

static bool image_is_slice(__u32 first, __u32 count, __u32 size)
{
	return first <= size && count <= size - first;
}

static bool image_is_target(const struct policy_image *image, const struct ublkpol_target *target)
{
	if (!image_is_slice(target->first_leg, target->nr_legs, image->header->nr_legs) ||
	    target->chunk % 512)
		return false;
	switch (target->action) {
	case UBLKPOL_ACTION_BACKEND:
		return target->nr_legs == 1;
	case UBLKPOL_ACTION_STRIPE:
	case UBLKPOL_ACTION_HASH:
		return target->nr_legs >= 2 && target->chunk;
	case UBLKPOL_ACTION_CONCAT:
		return target->nr_legs >= 2 && target->nr_legs <= UBLK_BPF_MAX_SLOTS;
	case UBLKPOL_ACTION_MIRROR:
		return target->nr_legs >= 2 && target->nr_legs <= UBLK_BPF_MAX_SLOTS &&
		       target->read_choice < UBLKPOL_NR_READ_CHOICES &&
		       (target->read_choice != UBLKPOL_READ_BY_LBA || target->chunk) &&
		       target->mirror < image->header->nr_mirrors;
	case UBLKPOL_ACTION_ERROR:
		return !target->nr_legs && target->error > 0 && target->error <= IMAGE_MAX_ERRNO;
	default:
		return target->action < UBLKPOL_NR_ACTIONS && !target->nr_legs;
	}
}

/* The loader puts the legs of a concat in its place: each is a target of its own */
static bool image_has_parts(const struct policy_image *image, const struct ublkpol_target *concat)
{
	for (__u32 i = 0; i < concat->nr_legs; i++) {
		if (policy_image_backend_target(image, image->legs[concat->first_leg + i]) ==
		    UBLKPOL_NO_TARGET)
			return false;
	}
	return true;
}

static int image_check_targets(const struct policy_image *image, struct ublkpol_error *err)
{
	for (unsigned int i = 0; i < image->header->nr_legs; i++) {
		if (image->legs[i] >= image->header->nr_backends)
			return image_error(err, "a backend of a rule");
	}
	for (unsigned int i = 0; i < image->header->nr_targets; i++) {
		if (!image_is_target(image, &image->targets[i]))
			return image_error(err, "action of a rule");
	}
	for (unsigned int i = 0; i < image->header->nr_targets; i++) {
		if (image->targets[i].action == UBLKPOL_ACTION_CONCAT &&
		    !image_has_parts(image, &image->targets[i]))
			return image_error(err, "legs of a concat");
	}
	return 0;
}

static bool image_are_outcomes(const struct policy_image *image, const struct ublkpol_rule *rule,
			       int dir)
{
	__u32 first = rule->first_outcome[dir];

	if (rule->nr_lists > UBLKPOL_MAX_LISTS ||
	    !image_is_slice(first, 1U << rule->nr_lists, image->header->nr_outcomes))
		return false;
	for (__u32 i = 0; i < 1U << rule->nr_lists; i++) {
		__u32 outcome = image->outcomes[first + i];

		if (outcome != UBLKPOL_NEVER && outcome != UBLKPOL_ALWAYS &&
		    outcome >= image->header->nr_conditions[dir])
			return false;
	}
	return true;
}

static int image_check_rules(const struct policy_image *image, struct ublkpol_error *err)
{
	__u32 nr_lists = 0;

	for (unsigned int i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (rule->ops & ~IMAGE_ALL_OPS)
			return image_error(err, "operations of a rule");
		/* Each list belongs to one rule */
		if (rule->first_list != nr_lists ||
		    !image_is_slice(rule->first_list, rule->nr_lists, image->header->nr_lists))
			return image_error(err, "ranges of a rule");
		nr_lists += rule->nr_lists;
		if (!image_are_outcomes(image, rule, UBLKPOL_DIR_READ) ||
		    !image_are_outcomes(image, rule, UBLKPOL_DIR_WRITE))
			return image_error(err, "conditions of a rule");
		if (rule->target >= image->header->nr_targets ||
		    rule->modifiers > image->header->nr_modifiers)
			return image_error(err, "action of a rule");
		if (rule->at != UBLKPOL_NO_OFFSET &&
		    (!policy_image_has_legs(policy_image_target(image, i)->action) ||
		     rule->nr_lists != 1 || rule->at % 512 || rule->at > INT64_MAX))
			return image_error(err, "offset of a rule");
		if (!image_is_string(image, rule->label) || !image_is_string(image, rule->text) ||
		    !image_is_string(image, rule->source) || !image_is_string(image, rule->counter))
			return image_error(err, "text of a rule");
	}
	return 0;
}

static bool image_is_bound(const struct ublkpol_bound *bound)
{
	switch (bound->unit) {
	case UBLKPOL_UNIT_BYTES:
		return bound->value % 512 == 0 && bound->value <= INT64_MAX;
	case UBLKPOL_UNIT_PERCENT:
		return bound->value <= IMAGE_PERCENT_MAX;
	case UBLKPOL_UNIT_END:
		return true;
	default:
		return false;
	}
}

static int image_check_lists(const struct policy_image *image, struct ublkpol_error *err)
{
	const struct ublkpol_header *header = image->header;

	for (unsigned int i = 0; i < header->nr_ranges; i++) {
		if (!image_is_bound(&image->ranges[i].first) ||
		    !image_is_bound(&image->ranges[i].last))
			return image_error(err, "a range");
	}
	for (unsigned int i = 0; i < header->nr_sets; i++) {
		if (!image_is_string(image, image->sets[i].name) ||
		    !image_is_slice(image->sets[i].first_range, image->sets[i].nr_ranges,
				    header->nr_ranges))
			return image_error(err, "a set");
	}
	for (unsigned int i = 0; i < header->nr_lists; i++) {
		if (!image_is_slice(image->lists[i].first_part, image->lists[i].nr_parts,
				    header->nr_parts))
			return image_error(err, "a list of ranges");
	}
	for (unsigned int i = 0; i < header->nr_parts; i++) {
		const struct ublkpol_part *part = &image->parts[i];

		if (part->set == UBLKPOL_NO_SET
			    ? !image_is_slice(part->first_range, part->nr_ranges, header->nr_ranges)
			    : part->set >= header->nr_sets)
			return image_error(err, "a part of a list of ranges");
	}
	for (unsigned int i = 0; i < header->nr_params; i++) {
		if (!image_is_string(image, image->params[i].name) ||
		    image->params[i].unit >= UBLKPOL_NR_PARAM_UNITS ||
		    image->params[i].value > image->params[i].max)
			return image_error(err, "a parameter");
	}
	return 0;
}

const char *policy_image_where(const struct policy_image *image, const struct ublkpol_rule *rule,
			       char text[POLICY_IMAGE_WHERE_SIZE])
{
	const char *file = image->strings + rule->source;
	size_t length = strlen(file), room = POLICY_IMAGE_WHERE_SIZE - sizeof(":4294967295");

	if (rule->source == image->header->source)
		snprintf(text, POLICY_IMAGE_WHERE_SIZE, "line %u", rule->line);
	else
		snprintf(text, POLICY_IMAGE_WHERE_SIZE, "%s:%u",
			 length > room ? file + length - room : file, rule->line);
	return text;
}

__u32 policy_image_backend_target(const struct policy_image *image, __u32 backend)
{
	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		if (image->targets[i].action == UBLKPOL_ACTION_BACKEND &&
		    image->legs[image->targets[i].first_leg] == backend)
			return i;
	}
	return UBLKPOL_NO_TARGET;
}

int policy_image_open(struct policy_image *image, const void *data, size_t size,
		      struct ublkpol_error *err)
{
	int ret;

	ret = image_check_header(data, size, err);
	if (ret)
		return ret;
	if (image_find_tables(image, data))
		return image_error(err, "tables");
	if (!image_is_string(image, image->header->source))
		return image_error(err, "name of the policy file");

	ret = image_check_backends(image, err);
	if (!ret)
		ret = image_check_targets(image, err);
	if (!ret)
		ret = image_check_rules(image, err);
	if (!ret)
		ret = image_check_lists(image, err);
	return ret;
}
