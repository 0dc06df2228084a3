// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "resolve_internal.h"

#define RESOLVE_PERCENT_SCALE 100000000000ULL /* 100 % */
#define RESOLVE_MAX_BLOCK     (RESOLVE_MAX_SECTORS * RESOLVE_SECTOR)
#define RESOLVE_NOMINAL_MIN   (1ULL << 41) /* sectors */
#define RESOLVE_MAX_POSITION  (1ULL << 54) /* sectors: files end at 2^63 bytes */

static const __u32 resolve_dir_op[UBLKPOL_NR_DIRS] = {
	[UBLKPOL_DIR_READ] = UBLKPOL_OP_READ,
	[UBLKPOL_DIR_WRITE] = UBLKPOL_OP_WRITE,
};

void resolve_report(struct resolve *r, enum resolve_level level, const char *check,
		    unsigned int rule, unsigned int column, const char *hint, const char *fmt, ...)
{
	char text[512];
	struct resolve_message message = {
		.level = level,
		.check = check,
		.rule = rule,
		.line = rule == RESOLVE_NO_RULE ? 0 : r->image->rules[rule].line,
		.column = column,
		.text = text,
		.hint = hint,
	};
	va_list args;

	if (check) {
		switch (checks_level(&r->image->header->checks, checks_find(check))) {
		case CHECK_OFF:
			return;
		case CHECK_WARNING:
			message.level = RESOLVE_WARNING;
			break;
		case CHECK_ERROR:
			message.level = RESOLVE_ERROR;
			break;
		}
	}
	if (message.level == RESOLVE_ERROR)
		r->nr_errors++;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (r->input->report)
		r->input->report(r->input->report_arg, &message);
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

/* Up to 9 decimals; the size is so large that rounding does not show in them */
static const char *resolve_print_percent(char text[RESOLVE_TEXT_SIZE], __u64 sector,
					 __u64 dev_sectors)
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

/* --- size of the device --- */

static int resolve_block(struct resolve *r)
{
	__u32 declared = r->image->header->block;
	__u32 given = r->input->block;

	if (declared > RESOLVE_MAX_BLOCK || given > RESOLVE_MAX_BLOCK || given < RESOLVE_SECTOR ||
	    given & (given - 1)) {
		resolve_report(r, RESOLVE_ERROR, NULL, RESOLVE_NO_RULE, 0, NULL,
			       "blocks of %u bytes are not supported",
			       declared > given ? declared : given);
		return -EINVAL;
	}
	if (declared && declared < given) {
		resolve_report(r, RESOLVE_ERROR, NULL, RESOLVE_NO_RULE, 0, NULL,
			       "the policy declares blocks of %u bytes, but its backends need %u",
			       declared, given);
		return -EINVAL;
	}
	r->layout->block = declared ? declared : given;
	return 0;
}

static bool resolve_is_sized(const struct ublkpol_rule *rule)
{
	return rule->action != UBLKPOL_ACTION_ERROR &&
	       rule->ops & (UBLKPOL_OP_READ | UBLKPOL_OP_WRITE);
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

		if (!resolve_is_sized(rule))
			continue;
		if (rule->at != UBLKPOL_NO_OFFSET) {
			resolve_report(r, RESOLVE_ERROR, NULL, i, 0, hint,
				       "'@' needs a device size");
			return;
		}
		if (first_mapped == RESOLVE_NO_RULE)
			first_mapped = i;
		if (rule->action != r->image->rules[first_mapped].action) {
			resolve_report(r, RESOLVE_ERROR, NULL, i, 0, hint,
				       "stripes beside plain backends need a device size");
			return;
		}
	}
	if (first_mapped == RESOLVE_NO_RULE)
		resolve_report(r, RESOLVE_ERROR, NULL, RESOLVE_NO_RULE, 0, hint,
			       "no rule leads to a backend that could give the device its size");
}

/* Size of the virtual backend that @rule addresses */
static __u64 resolve_capacity(const struct resolve *r, const struct ublkpol_rule *rule)
{
	const __u32 *legs = r->image->legs + rule->first_leg;
	__u64 smallest = ~0ULL;

	for (__u32 i = 0; i < rule->nr_legs; i++) {
		if (r->input->backend_sectors[legs[i]] < smallest)
			smallest = r->input->backend_sectors[legs[i]];
	}
	if (rule->action == UBLKPOL_ACTION_STRIPE)
		smallest = smallest / (rule->chunk / RESOLVE_SECTOR) *
			   (rule->chunk / RESOLVE_SECTOR) * rule->nr_legs;
	return smallest;
}

static __u64 resolve_smallest_capacity(struct resolve *r)
{
	__u64 smallest = ~0ULL;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &r->image->rules[i];

		if (resolve_is_sized(rule) && resolve_capacity(r, rule) < smallest)
			smallest = resolve_capacity(r, rule);
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
		resolve_report(r, RESOLVE_ERROR, NULL, RESOLVE_NO_RULE, 0, NULL,
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
		resolve_report(r, RESOLVE_ERROR, NULL, RESOLVE_NO_RULE, 0, NULL,
			       "the device would be empty: a backend is too small");
		return -EINVAL;
	}
	return 0;
}

/* --- ranges --- */

static __u64 resolve_bound(const struct resolve *r, const struct ublkpol_bound *bound)
{
	__u32 block = r->layout->block / RESOLVE_SECTOR;
	__u64 sector;

	switch (bound->unit) {
	case UBLKPOL_UNIT_BYTES:
		return bound->value / RESOLVE_SECTOR;
	case UBLKPOL_UNIT_PERCENT:
		sector = (unsigned __int128)bound->value * r->layout->dev_sectors /
			 RESOLVE_PERCENT_SCALE;
		return sector - sector % block;
	default:
		return r->layout->dev_sectors;
	}
}

static bool resolve_check_aligned(struct resolve *r, __u32 rule, const struct ublkpol_bound *bound)
{
	if (bound->unit != UBLKPOL_UNIT_BYTES || bound->value % r->layout->block == 0)
		return true;
	resolve_report(r, RESOLVE_ERROR, NULL, rule, bound->column, NULL,
		       "%llu bytes is no multiple of the device's block, %u bytes",
		       (unsigned long long)bound->value, r->layout->block);
	return false;
}

static void resolve_check_range(struct resolve *r, __u32 rule, const struct ublkpol_range *range,
				const struct resolve_range *resolved)
{
	char first[RESOLVE_TEXT_SIZE], last[RESOLVE_TEXT_SIZE], size[RESOLVE_TEXT_SIZE];

	if (!resolve_check_aligned(r, rule, &range->first) ||
	    !resolve_check_aligned(r, rule, &range->last))
		return;

	if (resolved->last > r->layout->dev_sectors) {
		resolve_report(r, RESOLVE_ERROR, NULL, rule, range->last.column,
			       r->image->header->size ? NULL
						      : "'end' is the end of the device; 'size' "
							"declares where that is",
			       "the range ends at %s, beyond the end of the device (%s)",
			       resolve_print_lba(r, last, resolved->last),
			       resolve_print_size(size, r->layout->dev_sectors));
		return;
	}
	if (resolved->first >= resolved->last)
		resolve_report(r, RESOLVE_ERROR, NULL, rule, range->first.column, NULL,
			       "on this device (%s) the range is %s: it would be %s to %s",
			       resolve_print_size(size, r->layout->dev_sectors),
			       resolved->first == resolved->last ? "empty" : "reversed",
			       resolve_print_lba(r, first, resolved->first),
			       resolve_print_lba(r, last, resolved->last));
}

static void resolve_check_action(struct resolve *r, __u32 index, const struct ublkpol_rule *rule)
{
	if (rule->action == UBLKPOL_ACTION_STRIPE && rule->chunk % r->layout->block)
		resolve_report(
			r, RESOLVE_ERROR, NULL, index, 0, NULL,
			"the chunk (%u bytes) is no multiple of the device's block, %u bytes",
			rule->chunk, r->layout->block);
	if (rule->at != UBLKPOL_NO_OFFSET && rule->at % r->layout->block)
		resolve_report(
			r, RESOLVE_ERROR, NULL, index, 0, NULL,
			"the offset (%llu bytes) is no multiple of the device's block, %u bytes",
			(unsigned long long)rule->at, r->layout->block);
}

static int resolve_ranges(struct resolve *r)
{
	const struct policy_image *image = r->image;

	r->layout->ranges = calloc(image->header->nr_ranges + 1ULL, sizeof(*r->layout->ranges));
	if (!r->layout->ranges)
		return -ENOMEM;

	for (__u32 i = 0; i < image->header->nr_ranges; i++) {
		r->layout->ranges[i].first = resolve_bound(r, &image->ranges[i].first);
		r->layout->ranges[i].last = resolve_bound(r, &image->ranges[i].last);
	}
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		resolve_check_action(r, i, rule);
		for (__u32 k = 0; k < rule->nr_ranges; k++)
			resolve_check_range(r, i, &image->ranges[rule->first_range + k],
					    &r->layout->ranges[rule->first_range + k]);
	}
	return r->nr_errors ? -EINVAL : 0;
}

/* --- segment tables --- */

/*
 * The device is cut at every boundary of a rule, and the rules take the cells
 * in order. @next skips over cells that are taken, so that 100,000 ranges
 * take little more than the time to sort their boundaries.
 */
struct resolve_cells {
	__u64 *bounds; /* sorted; cell c is bounds[c] to bounds[c + 1] */
	__u32 nr;
	__u32 *rule;
	__s64 *delta;
	__u32 *next; /* a cell at or behind this one that may be free */
};

static int resolve_compare_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

static void resolve_cells_free(struct resolve_cells *cells)
{
	free(cells->bounds);
	free(cells->rule);
	free(cells->delta);
	free(cells->next);
}

static void resolve_cells_cut(struct resolve *r, struct resolve_cells *cells, __u32 op)
{
	size_t count = 0, unique = 1;

	cells->bounds[count++] = 0;
	cells->bounds[count++] = r->layout->dev_sectors;
	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &r->image->rules[i];

		for (__u32 k = 0; rule->ops & op && k < rule->nr_ranges; k++) {
			cells->bounds[count++] = r->layout->ranges[rule->first_range + k].first;
			cells->bounds[count++] = r->layout->ranges[rule->first_range + k].last;
		}
	}
	qsort(cells->bounds, count, sizeof(*cells->bounds), resolve_compare_u64);
	for (size_t i = 1; i < count; i++) {
		if (cells->bounds[i] != cells->bounds[unique - 1])
			cells->bounds[unique++] = cells->bounds[i];
	}
	cells->nr = unique - 1;
}

static int resolve_cells_init(struct resolve *r, struct resolve_cells *cells, __u32 op)
{
	size_t max = 2;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++)
		max += r->image->rules[i].ops & op ? 2ULL * r->image->rules[i].nr_ranges : 0;

	cells->bounds = calloc(max, sizeof(*cells->bounds));
	cells->rule = malloc(max * sizeof(*cells->rule));
	cells->delta = calloc(max, sizeof(*cells->delta));
	cells->next = malloc(max * sizeof(*cells->next));
	if (!cells->bounds || !cells->rule || !cells->delta || !cells->next)
		return -ENOMEM;

	for (size_t i = 0; i < max; i++) {
		cells->rule[i] = UBLKPOL_NO_RULE;
		cells->next[i] = i;
	}
	resolve_cells_cut(r, cells, op);
	return 0;
}

/* First free cell at or behind @cell, or cells->nr */
static __u32 resolve_cells_free_at(struct resolve_cells *cells, __u32 cell)
{
	__u32 free_cell = cell;

	while (cells->next[free_cell] != free_cell)
		free_cell = cells->next[free_cell];
	while (cells->next[cell] != free_cell) {
		__u32 next = cells->next[cell];

		cells->next[cell] = free_cell;
		cell = next;
	}
	return free_cell;
}

static void resolve_cells_take(struct resolve_cells *cells, const struct resolve_range *range,
			       __u32 rule, __s64 delta)
{
	const __u64 *first = bsearch(&range->first, cells->bounds, cells->nr,
				     sizeof(*cells->bounds), resolve_compare_u64);
	__u32 cell = resolve_cells_free_at(cells, first - cells->bounds);

	while (cell < cells->nr && cells->bounds[cell] < range->last) {
		cells->rule[cell] = rule;
		cells->delta[cell] = delta;
		cells->next[cell] = cell + 1;
		cell = resolve_cells_free_at(cells, cell);
	}
}

static void resolve_cells_take_rule(struct resolve *r, struct resolve_cells *cells, __u32 index)
{
	const struct ublkpol_rule *rule = &r->image->rules[index];
	const struct resolve_range *ranges = r->layout->ranges + rule->first_range;
	const struct resolve_range everything = { 0, r->layout->dev_sectors };
	__u64 packed = rule->at / RESOLVE_SECTOR;

	if (!rule->nr_ranges)
		resolve_cells_take(cells, &everything, index, 0);
	for (__u32 k = 0; k < rule->nr_ranges; k++) {
		__s64 delta = rule->at == UBLKPOL_NO_OFFSET ? 0 : packed - ranges[k].first;

		resolve_cells_take(cells, &ranges[k], index, delta);
		packed += ranges[k].last - ranges[k].first;
		if (rule->at != UBLKPOL_NO_OFFSET && packed > RESOLVE_MAX_POSITION) {
			resolve_report(r, RESOLVE_ERROR, NULL, index, 0, NULL,
				       "the ranges end beyond the largest possible backend");
			return;
		}
	}
}

/* Appends the cells to the segment table, equal neighbours joined */
static int resolve_cells_emit(struct resolve *r, const struct resolve_cells *cells,
			      enum ublkpol_direction dir)
{
	struct resolve_layout *layout = r->layout;
	__u32 before = layout->nr_segments[UBLKPOL_DIR_READ];
	struct ublkpol_segment *segments, *last = NULL;

	segments = realloc(layout->segments, ((size_t)before + cells->nr) * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	layout->segments = segments;
	segments += before;

	for (__u32 c = 0; c < cells->nr; c++) {
		if (last && last->rule == cells->rule[c] && last->delta == cells->delta[c]) {
			last->end = cells->bounds[c + 1];
			continue;
		}
		last = &segments[layout->nr_segments[dir]++];
		*last = (struct ublkpol_segment){
			.start = cells->bounds[c],
			.end = cells->bounds[c + 1],
			.delta = cells->delta[c],
			.rule = cells->rule[c],
			.target = cells->rule[c] == UBLKPOL_NO_RULE
					  ? UBLKPOL_NO_TARGET
					  : r->image->rules[cells->rule[c]].target,
		};
	}
	return 0;
}

static int resolve_segments(struct resolve *r, enum ublkpol_direction dir)
{
	__u32 op = resolve_dir_op[dir];
	struct resolve_cells cells = { 0 };
	int ret;

	ret = resolve_cells_init(r, &cells, op);
	if (ret)
		goto out;
	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		if (r->image->rules[i].ops & op)
			resolve_cells_take_rule(r, &cells, i);
	}
	ret = r->nr_errors ? -EINVAL : resolve_cells_emit(r, &cells, dir);
out:
	resolve_cells_free(&cells);
	return ret;
}

/* --- entry points --- */

int resolve_policy(const struct resolve_input *input, struct resolve_layout *layout)
{
	struct resolve r = { .input = input, .image = input->image, .layout = layout };
	int ret;

	*layout = (struct resolve_layout){ 0 };
	ret = resolve_block(&r);
	if (!ret)
		ret = resolve_size(&r);
	if (!ret)
		ret = resolve_ranges(&r);
	if (!ret)
		ret = resolve_segments(&r, UBLKPOL_DIR_READ);
	if (!ret)
		ret = resolve_segments(&r, UBLKPOL_DIR_WRITE);
	if (!ret)
		ret = resolve_check_layout(&r);
	if (ret)
		return ret;
	resolve_limits(&r);
	return r.nr_errors ? -EINVAL : 0;
}

void resolve_free(struct resolve_layout *layout)
{
	free(layout->ranges);
	free(layout->segments);
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
