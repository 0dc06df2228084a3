// SPDX-License-Identifier: GPL-2.0-only
/* Parameters and sets of a device's policy, as another process sees them */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "policy_values.h"
#include "state.h"

static const char *changed_text(const struct ublkpol_info *info, const char *name)
{
	unsigned int i;

	for (i = 0; i < info->nr_values; i++) {
		if (!strcmp(info->values[i].name, name))
			return info->values[i].text;
	}
	return NULL;
}

static int describe_param(const struct ublkpol_info *info, const struct policy_image *image,
			  const struct policy_values *values, __u32 i,
			  struct ublkpol_param_info *param)
{
	const char *name = image->strings + image->params[i].name;
	const char *text = changed_text(info, name);

	param->name = strdup(name);
	param->changed = text != NULL;
	param->text = text ? strdup(text) : policy_values_text(values, image, i);
	return param->name && param->text ? 0 : -ENOMEM;
}

static int describe_set(const struct ublkpol_info *info, const struct policy_image *image, __u32 i,
			struct ublkpol_param_info *param)
{
	const char *name = image->strings + image->sets[i].name;
	const char *text = changed_text(info, name);

	param->name = strdup(name);
	param->is_set = true;
	param->ranges = image->sets[i].nr_ranges;
	param->changed = text != NULL;
	param->text = text ? strdup(text) : NULL;
	return param->name && (!text || param->text) ? 0 : -ENOMEM;
}

static int describe(const struct ublkpol_info *info, const struct policy_image *image,
		    struct ublkpol_param_info *params)
{
	struct policy_values values;
	__u32 i;
	int ret;

	ret = policy_values_init(&values, image);
	for (i = 0; !ret && i < image->header->nr_params; i++)
		ret = describe_param(info, image, &values, i, params++);
	for (i = 0; !ret && i < image->header->nr_sets; i++)
		ret = describe_set(info, image, i, params++);
	policy_values_free(&values);
	return ret;
}

int ublkpol_params_read(const struct ublkpol_info *info, struct ublkpol_param_info **params,
			size_t *count, struct ublkpol_error *err)
{
	struct policy_image image;
	void *data;
	size_t size;
	int ret;

	*params = NULL;
	*count = 0;
	ret = state_load_image(info->id, info->generation, &data, &size);
	if (ret) {
		error_set(err, UBLKPOL_ERR_FAILED, ret,
			  "the policy of device %d is not in " UBLKPOL_STATE_DIR ": %s", info->id,
			  strerror(-ret));
		return state_read_failed(info, ret, err);
	}
	ret = policy_image_open(&image, data, size, err);
	if (ret)
		goto out;
	*count = (size_t)image.header->nr_params + image.header->nr_sets;
	*params = calloc(*count + 1, sizeof(**params));
	ret = *params ? describe(info, &image, *params) : -ENOMEM;
	if (ret) {
		ublkpol_params_free(*params, *count);
		*params = NULL;
		*count = 0;
		error_set(err, UBLKPOL_ERR_FAILED, ret, "out of memory");
	}
out:
	free(data);
	return ret;
}

void ublkpol_params_free(struct ublkpol_param_info *params, size_t count)
{
	size_t i;

	for (i = 0; params && i < count; i++) {
		free(params[i].name);
		free(params[i].text);
	}
	free(params);
}
