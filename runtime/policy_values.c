// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_values.h"
#include "range_text.h"

#define VALUES_SECTOR	  512U
#define VALUES_PERCENT	  1000000000ULL /* 1 % */
#define VALUES_MAX_DIGITS 18

int policy_values_init(struct policy_values *values, const struct policy_image *image)
{
	values->params = calloc(image->header->nr_params + 1ULL, sizeof(*values->params));
	values->sets = calloc(image->header->nr_sets + 1ULL, sizeof(*values->sets));
	values->nr_sets = image->header->nr_sets;
	if (!values->params || !values->sets) {
		policy_values_free(values);
		return -ENOMEM;
	}
	for (__u32 i = 0; i < image->header->nr_params; i++)
		values->params[i] = image->params[i].value;
	return 0;
}

void policy_values_free(struct policy_values *values)
{
	for (__u32 i = 0; values->sets && i < values->nr_sets; i++)
		free((void *)values->sets[i].ranges);
	free(values->sets);
	free(values->params);
	*values = (struct policy_values){ 0 };
}

/* --- parameters --- */

static const struct {
	enum ublkpol_param_unit param;
	const char *text;
	__u64 factor;
} values_units[] = {
	{ UBLKPOL_PARAM_NUMBER, "", 1 },
	{ UBLKPOL_PARAM_BYTES, "", VALUES_SECTOR },
	{ UBLKPOL_PARAM_BYTES, "B", 1 },
	{ UBLKPOL_PARAM_BYTES, "KiB", 1ULL << 10 },
	{ UBLKPOL_PARAM_BYTES, "MiB", 1ULL << 20 },
	{ UBLKPOL_PARAM_BYTES, "GiB", 1ULL << 30 },
	{ UBLKPOL_PARAM_BYTES, "TiB", 1ULL << 40 },
	{ UBLKPOL_PARAM_PERCENT, "%", VALUES_PERCENT },
	{ UBLKPOL_PARAM_TIME, "ns", 1 },
	{ UBLKPOL_PARAM_TIME, "us", 1000 },
	{ UBLKPOL_PARAM_TIME, "ms", 1000000 },
	{ UBLKPOL_PARAM_TIME, "s", 1000000000 },
	{ UBLKPOL_PARAM_BYTE_RATE, "B/s", 1 },
	{ UBLKPOL_PARAM_BYTE_RATE, "KiB/s", 1ULL << 10 },
	{ UBLKPOL_PARAM_BYTE_RATE, "MiB/s", 1ULL << 20 },
	{ UBLKPOL_PARAM_BYTE_RATE, "GiB/s", 1ULL << 30 },
	{ UBLKPOL_PARAM_BYTE_RATE, "TiB/s", 1ULL << 40 },
	{ UBLKPOL_PARAM_IOPS, "iops", 1 },
};

static const char *const values_examples[UBLKPOL_NR_PARAM_UNITS] = {
	[UBLKPOL_PARAM_NUMBER] = "100",		[UBLKPOL_PARAM_BYTES] = "64KiB",
	[UBLKPOL_PARAM_PERCENT] = "1%",		[UBLKPOL_PARAM_TIME] = "5ms",
	[UBLKPOL_PARAM_BYTE_RATE] = "100MiB/s", [UBLKPOL_PARAM_IOPS] = "500iops",
};

/* Digits, perhaps with decimals, then a unit of the right kind; false: it is none */
static bool values_parse(const char *text, enum ublkpol_param_unit unit, __u64 *value)
{
	unsigned __int128 number = 0;
	__u64 divisor = 1;
	int digits = 0;
	bool is_fraction = false;

	for (; (*text >= '0' && *text <= '9') || (*text == '.' && !is_fraction && digits); text++) {
		if (*text == '.') {
			is_fraction = true;
			continue;
		}
		if (++digits > VALUES_MAX_DIGITS)
			return false;
		number = number * 10 + (unsigned int)(*text - '0');
		divisor *= is_fraction ? 10 : 1;
	}
	for (size_t i = 0; digits && i < sizeof(values_units) / sizeof(values_units[0]); i++) {
		if (values_units[i].param != unit || strcmp(values_units[i].text, text))
			continue;
		number *= values_units[i].factor;
		if (number % divisor || number / divisor > INT64_MAX)
			return false;
		*value = (__u64)(number / divisor);
		return true;
	}
	return false;
}

static int values_refuse(struct ublkpol_error *err, const char *name, const char *what)
{
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL, "the value of '%s' %s", name, what);
}

static int values_set_param(struct policy_values *values, const struct policy_image *image, __u32 i,
			    const char *text, struct ublkpol_error *err)
{
	const struct ublkpol_param *param = &image->params[i];
	const char *name = image->strings + param->name;
	__u64 value;

	if (!values_parse(text, param->unit, &value))
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "'%s' is no value of '%s': write it like %s", text, name,
				 values_examples[param->unit]);
	if (value > param->max)
		return values_refuse(err, name, "is too large for what the policy does with it");
	if (param->flags & UBLKPOL_PARAM_NOT_ZERO && !value)
		return values_refuse(err, name, "must not be 0");
	if (param->flags & UBLKPOL_PARAM_POWER_OF_TWO && value & (value - 1))
		return values_refuse(err, name, "must be a power of two");
	if (param->unit == UBLKPOL_PARAM_BYTES && value % VALUES_SECTOR)
		return values_refuse(err, name, "must be a whole number of 512-byte sectors");
	values->params[i] = value;
	return 0;
}

__u64 policy_values_program(const struct policy_values *values, const struct policy_image *image,
			    __u32 i)
{
	return image->params[i].unit == UBLKPOL_PARAM_PERCENT
		       ? UBLKPOL_CHANCE_THRESHOLD(values->params[i])
		       : values->params[i];
}

static char *values_percent_text(__u64 value)
{
	char *text;
	int length;

	length = asprintf(&text, "%llu.%09llu", (unsigned long long)(value / VALUES_PERCENT),
			  (unsigned long long)(value % VALUES_PERCENT));
	if (length < 0)
		return NULL;
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	strcpy(text + length, "%");
	return text;
}

/* The largest unit that leaves a whole number */
char *policy_values_text(const struct policy_values *values, const struct policy_image *image,
			 __u32 i)
{
	const struct ublkpol_param *param = &image->params[i];
	const char *unit = "";
	__u64 value = values->params[i], factor = 1;
	char *text;

	if (param->unit == UBLKPOL_PARAM_PERCENT)
		return values_percent_text(value);
	for (size_t k = 0; k < sizeof(values_units) / sizeof(values_units[0]); k++) {
		if (values_units[k].param != param->unit || !*values_units[k].text ||
		    value % values_units[k].factor || (!value && *unit))
			continue;
		unit = values_units[k].text;
		factor = values_units[k].factor;
	}
	return asprintf(&text, "%llu%s", (unsigned long long)(value / factor), unit) < 0 ? NULL
											 : text;
}

/* --- sets --- */

static int values_set_ranges(struct policy_values *values, const struct policy_image *image,
			     __u32 i, const char *text, struct ublkpol_error *err)
{
	const char *name = image->strings + image->sets[i].name;
	struct range_text_error error;
	struct ublkpol_range *ranges;
	size_t nr;
	int ret;

	ret = range_text_parse(text, strlen(text), &ranges, &nr, &error);
	if (ret == -ENOMEM)
		return error_set(err, UBLKPOL_ERR_FAILED, ret, "out of memory");
	if (ret)
		return error_set(err, UBLKPOL_ERR_INPUT, ret, "set '%s', line %u, column %u: %s",
				 name, error.line, error.column, error.text);
	free((void *)values->sets[i].ranges);
	values->sets[i] = (struct resolve_set){ ranges, nr, true };
	return 0;
}

int policy_values_set(struct policy_values *values, const struct policy_image *image,
		      const char *name, const char *text, struct ublkpol_error *err)
{
	for (__u32 i = 0; i < image->header->nr_params; i++) {
		if (!strcmp(image->strings + image->params[i].name, name))
			return values_set_param(values, image, i, text, err);
	}
	for (__u32 i = 0; i < image->header->nr_sets; i++) {
		if (!strcmp(image->strings + image->sets[i].name, name))
			return values_set_ranges(values, image, i, text, err);
	}
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 "the policy has no parameter and no set '%s'", name);
}
