// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "range_text.h"

#define RANGE_TEXT_MAX_FILE (256UL << 20)
#define RANGE_TEXT_SECTOR   512U
#define RANGE_TEXT_PERCENT  1000000000ULL /* 1 % */
#define RANGE_TEXT_DECIMALS 9U

struct range_text {
	const char *at;
	const char *end;
	const char *line_start;
	unsigned int line;
	struct ublkpol_range *ranges;
	size_t nr, room;
	struct range_text_error *error;
};

/* One end as it is written, before its unit is known for certain */
struct range_text_bound {
	const char *start;
	__u64 digits;
	__u64 divisor; /* 10^decimals */
	bool has_unit;
	enum ublkpol_unit unit;
	__u64 factor;
};

static int range_text_fail(struct range_text *t, const char *at, const char *text)
{
	*t->error = (struct range_text_error){
		.line = t->line,
		.column = (unsigned int)(at - t->line_start) + 1,
		.text = text,
	};
	return -EINVAL;
}

static void range_text_skip(struct range_text *t, bool with_commas)
{
	for (; t->at < t->end; t->at++) {
		switch (*t->at) {
		case '\n':
			t->line++;
			t->line_start = t->at + 1;
			break;
		case '#':
			while (t->at + 1 < t->end && t->at[1] != '\n')
				t->at++;
			break;
		case ',':
			if (!with_commas)
				return;
			break;
		case ' ':
		case '\t':
		case '\r':
			break;
		default:
			return;
		}
	}
}

static bool range_text_takes(struct range_text *t, const char *word)
{
	size_t length = strlen(word);

	if ((size_t)(t->end - t->at) < length || memcmp(t->at, word, length))
		return false;
	t->at += length;
	return true;
}

static bool range_text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int range_text_number(struct range_text *t, struct range_text_bound *bound)
{
	unsigned int decimals = 0;
	bool is_fraction = false;

	for (; t->at < t->end; t->at++) {
		if (*t->at == '.' && !is_fraction && t->at + 1 < t->end &&
		    range_text_is_digit(t->at[1])) {
			is_fraction = true;
			continue;
		}
		if (!range_text_is_digit(*t->at))
			break;
		if (__builtin_mul_overflow(bound->digits, 10, &bound->digits) ||
		    __builtin_add_overflow(bound->digits, (__u64)(*t->at - '0'), &bound->digits))
			return range_text_fail(t, bound->start, "the number has too many digits");
		if (is_fraction && ++decimals > RANGE_TEXT_DECIMALS)
			return range_text_fail(t, bound->start, "more than 9 decimals");
		if (is_fraction)
			bound->divisor *= 10;
	}
	return 0;
}

static int range_text_bound(struct range_text *t, struct range_text_bound *bound)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	int ret;

	*bound = (struct range_text_bound){ .start = t->at, .divisor = 1, .factor = 512 };
	if (range_text_takes(t, "end")) {
		bound->unit = UBLKPOL_UNIT_END;
		bound->has_unit = true;
		return 0;
	}
	if (t->at >= t->end || !range_text_is_digit(*t->at))
		return range_text_fail(t, t->at, "expected a range, such as 0-64KiB");
	ret = range_text_number(t, bound);
	if (ret)
		return ret;
	if (range_text_takes(t, "%")) {
		bound->unit = UBLKPOL_UNIT_PERCENT;
		bound->has_unit = true;
		return 0;
	}
	for (int i = 4; i >= 0; i--) {
		if (range_text_takes(t, units[i])) {
			bound->factor = 1ULL << 10 * i;
			bound->has_unit = true;
			return 0;
		}
	}
	return 0;
}

static int range_text_value(struct range_text *t, const struct range_text_bound *in,
			    struct ublkpol_bound *out)
{
	unsigned __int128 value = in->digits;

	*out = (struct ublkpol_bound){ .unit = in->unit, .column = t->line };
	switch (in->unit) {
	case UBLKPOL_UNIT_END:
		return 0;
	case UBLKPOL_UNIT_PERCENT:
		value = value * RANGE_TEXT_PERCENT / in->divisor;
		if (value > 100 * RANGE_TEXT_PERCENT)
			return range_text_fail(t, in->start, "more than 100%");
		break;
	default:
		value *= in->factor;
		if (value % in->divisor || value / in->divisor % RANGE_TEXT_SECTOR)
			return range_text_fail(t, in->start,
					       "this is no whole number of 512-byte sectors");
		value /= in->divisor;
		if (value > INT64_MAX)
			return range_text_fail(t, in->start,
					       "this is larger than any device can be");
		break;
	}
	out->value = (__u64)value;
	return 0;
}

static int range_text_append(struct range_text *t, const struct ublkpol_range *range)
{
	if (t->nr == t->room) {
		size_t room = t->room ? 2 * t->room : 1024;
		struct ublkpol_range *bigger = realloc(t->ranges, room * sizeof(*bigger));

		if (!bigger) {
			t->error->text = "out of memory";
			return -ENOMEM;
		}
		t->ranges = bigger;
		t->room = room;
	}
	t->ranges[t->nr++] = *range;
	return 0;
}

static int range_text_range(struct range_text *t)
{
	struct range_text_bound first, last;
	struct ublkpol_range range;
	int ret;

	ret = range_text_bound(t, &first);
	if (ret)
		return ret;
	range_text_skip(t, false);
	if (!range_text_takes(t, "-"))
		return range_text_fail(t, t->at, "expected '-' and the other end of the range");
	range_text_skip(t, false);
	ret = range_text_bound(t, &last);
	if (ret)
		return ret;
	/* As in the language: "1-2GiB" is 1GiB-2GiB */
	if (!first.has_unit && last.has_unit && last.unit != UBLKPOL_UNIT_END && first.digits) {
		first.unit = last.unit;
		first.factor = last.factor;
	} else if (first.has_unit && first.unit != UBLKPOL_UNIT_END && !last.has_unit) {
		return range_text_fail(t, last.start, "the second end of the range has no unit");
	}
	ret = range_text_value(t, &first, &range.first);
	if (!ret)
		ret = range_text_value(t, &last, &range.last);
	if (ret)
		return ret;
	if (range.first.unit == UBLKPOL_UNIT_END ||
	    (range.first.unit == range.last.unit && range.first.value >= range.last.value))
		return range_text_fail(t, first.start, "the range is empty or reversed");
	return range_text_append(t, &range);
}

int range_text_parse(const char *text, size_t length, struct ublkpol_range **ranges, size_t *nr,
		     struct range_text_error *error)
{
	struct range_text t = {
		.at = text,
		.end = text + length,
		.line_start = text,
		.line = 1,
		.error = error,
	};
	int ret = 0;

	*error = (struct range_text_error){ 0 };
	range_text_skip(&t, true);
	while (!ret && t.at < t.end) {
		ret = range_text_range(&t);
		if (!ret && t.at < t.end && !strchr(" \t\r\n,#", *t.at))
			ret = range_text_fail(&t, t.at, "unknown unit");
		range_text_skip(&t, true);
	}
	if (ret) {
		free(t.ranges);
		return ret;
	}
	*ranges = t.ranges;
	*nr = t.nr;
	return 0;
}

int range_text_size(const char *text, __u64 *bytes, struct range_text_error *error)
{
	struct range_text t = {
		.at = text,
		.end = text + strlen(text),
		.line_start = text,
		.line = 1,
		.error = error,
	};
	struct range_text_bound bound;
	struct ublkpol_bound value;
	int ret;

	*error = (struct range_text_error){ 0 };
	if (!range_text_is_digit(*text))
		return range_text_fail(&t, text, "such as 10GiB");
	ret = range_text_bound(&t, &bound);
	if (ret)
		return ret;
	if (t.at < t.end || bound.unit != UBLKPOL_UNIT_BYTES)
		return range_text_fail(&t, t.at, "units are B, KiB, MiB, GiB and TiB");
	ret = range_text_value(&t, &bound, &value);
	*bytes = value.value;
	return ret;
}

int range_text_read(const char *path, struct ublkpol_range **ranges, size_t *nr,
		    struct range_text_error *error)
{
	size_t room = 1U << 16, length = 0, got;
	FILE *file = fopen(path, "re");
	char *text = NULL, *bigger;
	int ret = file ? 0 : -errno;

	*error = (struct range_text_error){ 0 };
	while (!ret) {
		bigger = realloc(text, room);
		if (!bigger) {
			ret = -ENOMEM;
			break;
		}
		text = bigger;
		got = fread(text + length, 1, room - length, file);
		length += got;
		if (ferror(file))
			ret = -EIO;
		else if (length > RANGE_TEXT_MAX_FILE)
			ret = -EFBIG;
		if (length < room)
			break;
		room *= 2;
	}
	if (file)
		fclose(file);
	if (ret)
		error->text = strerror(-ret);
	else
		ret = range_text_parse(text, length, ranges, nr, error);
	free(text);
	return ret;
}
