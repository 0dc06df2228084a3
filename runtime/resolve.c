// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "resolve_internal.h"

#define RESOLVE_MAX_BLOCK   (RESOLVE_MAX_SECTORS * RESOLVE_SECTOR)
#define RESOLVE_NOMINAL_MIN (1ULL << 41) /* sectors */

static void resolve_send(struct resolve *r, enum ublkpol_check check, unsigned int rule,
			 unsigned int column, const __u32 *others, unsigned int nr_others,
			 const char *hint, const char *fmt, va_list args)
{
	enum check_level level = check == UBLKPOL_NO_CHECK
					 ? CHECK_ERROR
					 : checks_level(&r->image->header->checks, check);
	char text[512];
	const struct resolve_message message = {
		.level = level == CHECK_ERROR ? RESOLVE_ERROR : RESOLVE_WARNING,
		.check = check,
		.rule = rule,
		.line = rule == RESOLVE_NO_RULE ? 0 : r->image->rules[rule].line,
		.column = column,
		.others = others,
		.nr_others = nr_others,
		.text = text,
		.hint = hint,
	};

	if (level == CHECK_OFF)
		return;
	r->nr_errors += level == CHECK_ERROR;
	r->nr_messages++;
	vsnprintf(text, sizeof(text), fmt, args);
	if (r->input->report)
		r->input->report(r->input->report_arg, &message);
}

void resolve_report(struct resolve *r, enum ublkpol_check check, unsigned int rule,
		    unsigned int column, const char *hint, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	resolve_send(r, check, rule, column, NULL, 0, hint, fmt, args);
	va_end(args);
}

void resolve_report_pair(struct resolve *r, enum ublkpol_check check, unsigned int rule,
			 unsigned int column, __u32 other, const char *hint, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	resolve_send(r, check, rule, column, &other, 1, hint, fmt, args);
	va_end(args);
}

void resolve_report_rules(struct resolve *r, enum ublkpol_check check, unsigned int rule,
			  const __u32 *others, unsigned int nr_others, const char *hint,
			  const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	resolve_send(r, check, rule, 0, others, nr_others, hint, fmt, args);
	va_end(args);
}

const char *resolve_print_size(char text[RESOLVE_TEXT_SIZE], __u64 sectors)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	__u64 value = sectors / 2;
	unsigned int unit = 0;

	if (sectors % 2) {
		snprintf(text, RESOLVE_TEXT_SIZE, "%llu sectors", (unsigned long long)sectors);
		return text;
	}
	while (value && value % 1024 == 0 && unit < 3) {
		value /= 1024;
		unit++;
	}
	snprintf(text, RESOLVE_TEXT_SIZE, "%llu%s", (unsigned long long)value, units[unit]);
	return text;
}

const char *resolve_print_percent(char text[RESOLVE_TEXT_SIZE], __u64 sector, __u64 dev_sectors)
{
	__u64 percent =
		((unsigned __int128)sector * RESOLVE_PERCENT_SCALE + dev_sectors / 2) / dev_sectors;
	int length;

	length = snprintf(text, RESOLVE_TEXT_SIZE, "%llu.%09llu",
			  (unsigned long long)percent / 1000000000,
			  (unsigned long long)percent % 1000000000);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	strcpy(text + length, "%");
	return text;
}

const char *resolve_print_lba(const struct resolve *r, char text[RESOLVE_TEXT_SIZE], __u64 sector)
{
	if (!sector)
		return strcpy(text, "0");
	if (r->input->is_nominal)
		return resolve_print_percent(text, sector, r->layout->dev_sectors);
	if (r->input->is_made_up && sector == r->layout->dev_sectors)
		return strcpy(text, "end");
	if (sector % 2) {
		snprintf(text, RESOLVE_TEXT_SIZE, "sector %llu", (unsigned long long)sector);
		return text;
	}
	return resolve_print_size(text, sector);
}

const struct ublkpol_segment *resolve_find(const struct resolve_layout *layout,
					   enum ublkpol_direction dir, __u64 sector)
{
	const struct ublkpol_segment *part = resolve_part(layout, dir);
	__u32 low = 0, high = layout->nr_segments[dir] - 1;

	while (low < high) {
		__u32 middle = low + (high - low) / 2;

		if (sector < part[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return &part[low];
}

__u32 resolve_taker(const struct resolve *r, enum ublkpol_direction dir,
		    const struct ublkpol_segment *segment, unsigned int i)
{
	__u64 mask = segment->mask, implied;

	if (!r->input->implied[dir] || i + 1 == resolve_nr_outcomes(segment))
		return UBLKPOL_NO_RULE;
	for (unsigned int k = 0; k < i; k++)
		mask &= mask - 1;
	/* Only earlier conditions, which have smaller numbers, are in it */
	implied = r->input->implied[dir][__builtin_ctzll(mask)] & segment->mask;
	if (!implied)
		return UBLKPOL_NO_RULE;
	implied &= -implied;
	return resolve_outcome(r->layout, segment,
			       (unsigned int)__builtin_popcountll(segment->mask & (implied - 1)))
		.rule;
}

void resolve_sort(void *array, size_t nr, size_t size, int (*compare)(const void *, const void *))
{
	const char *entries = array;

	for (size_t i = 1; i < nr; i++) {
		if (compare(entries + (i - 1) * size, entries + i * size) > 0) {
			qsort(array, nr, size, compare);
			return;
		}
	}
}

/* --- size of the device --- */

static int resolve_block(struct resolve *r)
{
	__u32 declared = r->image->header->block;
	__u32 given = r->input->block;

	if (declared > RESOLVE_MAX_BLOCK || given > RESOLVE_MAX_BLOCK || given < RESOLVE_SECTOR ||
	    given & (given - 1)) {
		resolve_report(r, UBLKPOL_NO_CHECK, RESOLVE_NO_RULE, 0, NULL,
			       "blocks of %u bytes are not supported",
			       declared > given ? declared : given);
		return -EINVAL;
	}
	if (declared && declared < given) {
		resolve_report(r, UBLKPOL_NO_CHECK, RESOLVE_NO_RULE, 0, NULL,
			       "the policy declares blocks of %u bytes, but its backends need %u",
			       declared, given);
		return -EINVAL;
	}
	r->layout->block = declared ? declared : given;
	return 0;
}

static bool resolve_is_sized(const struct policy_image *image, __u32 rule)
{
	return policy_image_has_legs(policy_image_target(image, rule)->action) &&
	       image->rules[rule].ops & (UBLKPOL_OP_READ | UBLKPOL_OP_WRITE);
}

/* Plain backends, mirrors and hashes keep the LBA: they are of one kind */
static __u32 resolve_size_kind(const struct policy_image *image, __u32 rule)
{
	__u32 action = policy_image_target(image, rule)->action;

	return action == UBLKPOL_ACTION_STRIPE || action == UBLKPOL_ACTION_CONCAT
		       ? action
		       : (__u32)UBLKPOL_ACTION_BACKEND;
}

/*
 * Without "size", the device is as large as its smallest backend or composite;
 * that means something only if all rules are of one kind and keep the LBA.
 */
static void resolve_check_size_rules(struct resolve *r)
{
	static const char *const hint = "declare the device's size, such as 'size 10GiB'";
	__u32 first_mapped = RESOLVE_NO_RULE;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &r->image->rules[i];

		if (!resolve_is_sized(r->image, i))
			continue;
		if (rule->at != UBLKPOL_NO_OFFSET) {
			resolve_report(r, UBLKPOL_NO_CHECK, i, 0, hint, "'@' needs a device size");
			return;
		}
		if (first_mapped == RESOLVE_NO_RULE)
			first_mapped = i;
		if (resolve_size_kind(r->image, i) != resolve_size_kind(r->image, first_mapped)) {
			resolve_report(r, UBLKPOL_NO_CHECK, i, 0, hint,
				       "stripes or concats beside others need a device size");
			return;
		}
	}
	if (first_mapped == RESOLVE_NO_RULE)
		resolve_report(r, UBLKPOL_NO_CHECK, RESOLVE_NO_RULE, 0, hint,
			       "no rule leads to a backend that could give the device its size");
}

__u64 resolve_capacity(const struct resolve *r, const struct ublkpol_target *target)
{
	const __u32 *legs = r->image->legs + target->first_leg;
	__u64 chunk = target->chunk / RESOLVE_SECTOR;
	__u64 smallest = ~0ULL, sum = 0;

	for (__u32 i = 0; i < target->nr_legs; i++) {
		__u64 sectors = r->input->backend_sectors[legs[i]];

		sum += sectors;
		if (sectors < smallest)
			smallest = sectors;
	}
	if (target->action == UBLKPOL_ACTION_CONCAT)
		return sum;
	if (target->action == UBLKPOL_ACTION_STRIPE)
		return smallest / chunk * chunk * target->nr_legs;
	return smallest;
}

static __u64 resolve_smallest_capacity(struct resolve *r)
{
	__u64 smallest = ~0ULL;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		const struct ublkpol_target *target = policy_image_target(r->image, i);

		if (resolve_is_sized(r->image, i) && resolve_capacity(r, target) < smallest)
			smallest = resolve_capacity(r, target);
	}
	return smallest;
}

static int resolve_size(struct resolve *r)
{
	__u32 block = r->layout->block / RESOLVE_SECTOR;
	__u64 declared = r->image->header->size / RESOLVE_SECTOR;
	char text[RESOLVE_TEXT_SIZE];

	if (!declared) {
		resolve_check_size_rules(r);
		if (r->nr_errors)
			return -EINVAL;
	}
	if (declared % block) {
		resolve_report(r, UBLKPOL_NO_CHECK, RESOLVE_NO_RULE, 0, NULL,
			       "the size of the device (%s) is no multiple of its block (%u bytes)",
			       resolve_print_size(text, declared), r->layout->block);
		return -EINVAL;
	}

	if (declared)
		r->layout->dev_sectors = declared;
	else if (r->input->dev_sectors)
		r->layout->dev_sectors = r->input->dev_sectors;
	else
		r->layout->dev_sectors = resolve_smallest_capacity(r);
	r->layout->dev_sectors -= r->layout->dev_sectors % block;

	if (!r->layout->dev_sectors) {
		resolve_report(r, UBLKPOL_NO_CHECK, RESOLVE_NO_RULE, 0, NULL,
			       r->input->dev_sectors
				       ? "the device would be empty: it is smaller than a block"
				       : "the device would be empty: a backend is too small");
		return -EINVAL;
	}
	return 0;
}

/* --- entry points --- */

int resolve_policy(const struct resolve_input *input, struct resolve_layout *layout)
{
	struct resolve r = { .input = input, .image = input->image, .layout = layout };
	int ret;

	*layout = (struct resolve_layout){ 0 };
	r.takers = malloc((input->image->header->nr_rules + 1ULL) * sizeof(*r.takers));
	if (!r.takers)
		return -ENOMEM;
	for (__u32 i = 0; i < input->image->header->nr_rules; i++)
		r.takers[i] = UBLKPOL_NO_RULE;
	r.overcommitted = calloc(input->image->header->nr_rules + 1ULL, sizeof(*r.overcommitted));
	ret = r.overcommitted ? resolve_block(&r) : -ENOMEM;
	if (!ret)
		ret = resolve_size(&r);
	if (!ret)
		ret = resolve_lists(&r);
	if (!ret)
		ret = resolve_segments(&r);
	if (!ret)
		ret = resolve_index(layout);
	if (!ret)
		ret = resolve_check_layout(&r);
	if (!ret)
		ret = resolve_limits(&r);
	free(r.overcommitted);
	free(r.takers);
	if (ret)
		return ret;
	return r.nr_errors ? -EINVAL : 0;
}

void resolve_free(struct resolve_layout *layout)
{
	if (layout->lists)
		free(layout->lists[0].ranges);
	free(layout->lists);
	free(layout->segments);
	free(layout->choices);
	free(layout->buckets);
	free(layout->nodes);
	*layout = (struct resolve_layout){ 0 };
}

static __u64 resolve_max_bytes(const struct policy_image *image, bool *has_percent)
{
	__u64 max = 0;

	for (__u32 i = 0; i < image->header->nr_ranges; i++) {
		const struct ublkpol_bound *bounds[] = { &image->ranges[i].first,
							 &image->ranges[i].last };

		for (int k = 0; k < 2; k++) {
			if (bounds[k]->unit == UBLKPOL_UNIT_BYTES && bounds[k]->value > max)
				max = bounds[k]->value;
			if (bounds[k]->unit == UBLKPOL_UNIT_PERCENT && bounds[k]->value &&
			    bounds[k]->value != RESOLVE_PERCENT_SCALE)
				*has_percent = true;
		}
	}
	return max;
}

__u64 resolve_nominal_sectors(const struct policy_image *image, bool *is_nominal)
{
	bool has_percent = false;
	__u64 bytes = resolve_max_bytes(image, &has_percent);
	__u64 sectors = RESOLVE_NOMINAL_MIN;

	*is_nominal = !image->header->size && has_percent;
	if (image->header->size)
		return image->header->size / RESOLVE_SECTOR;
	if (has_percent && bytes)
		return 0;
	if (bytes)
		sectors =
			bytes / RESOLVE_SECTOR / 3 * 4 / RESOLVE_MAX_SECTORS * RESOLVE_MAX_SECTORS +
			RESOLVE_MAX_SECTORS;
	return sectors;
}
