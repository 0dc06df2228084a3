// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
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
	image->ranges =
		image_table(data, size, header->ranges, header->nr_ranges, sizeof(*image->ranges));
	image->legs = image_table(data, size, header->legs, header->nr_legs, sizeof(*image->legs));
	image->strings = image_table(data, size, header->strings, header->strings_size, 1);

	if (!image->backends || !image->rules || !image->ranges || !image->legs || !image->strings)
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

static bool image_is_action(const struct policy_image *image, const struct ublkpol_rule *rule)
{
	bool is_mapped = rule->action != UBLKPOL_ACTION_ERROR;

	if (!image_is_slice(rule->first_leg, rule->nr_legs, image->header->nr_legs))
		return false;
	if (rule->at != UBLKPOL_NO_OFFSET &&
	    (!is_mapped || !rule->nr_ranges || rule->at % 512 || rule->at > INT64_MAX))
		return false;

	switch (rule->action) {
	case UBLKPOL_ACTION_BACKEND:
		return rule->nr_legs == 1;
	case UBLKPOL_ACTION_STRIPE:
		return rule->nr_legs >= 2 && rule->nr_legs <= UBLK_BPF_MAX_SLOTS && rule->chunk &&
		       rule->chunk % 512 == 0;
	case UBLKPOL_ACTION_ERROR:
		return !rule->nr_legs && rule->error > 0 && rule->error <= IMAGE_MAX_ERRNO;
	default:
		return false;
	}
}

static int image_check_rules(const struct policy_image *image, struct ublkpol_error *err)
{
	for (unsigned int i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (!rule->ops || rule->ops & ~IMAGE_ALL_OPS)
			return image_error(err, "operations of a rule");
		if (!image_is_slice(rule->first_range, rule->nr_ranges, image->header->nr_ranges))
			return image_error(err, "ranges of a rule");
		if (!image_is_action(image, rule))
			return image_error(err, "action of a rule");
		if (!image_is_string(image, rule->label) || !image_is_string(image, rule->text))
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
	for (unsigned int i = 0; i < image->header->nr_ranges; i++) {
		if (!image_is_bound(&image->ranges[i].first) ||
		    !image_is_bound(&image->ranges[i].last))
			return image_error(err, "a range");
	}
	for (unsigned int i = 0; i < image->header->nr_legs; i++) {
		if (image->legs[i] >= image->header->nr_backends)
			return image_error(err, "a backend of a rule");
	}
	return 0;
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
		ret = image_check_rules(image, err);
	if (!ret)
		ret = image_check_lists(image, err);
	return ret;
}
