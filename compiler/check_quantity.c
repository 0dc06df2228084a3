// SPDX-License-Identifier: GPL-2.0-only
/* Numbers with units, and ranges of them */
#include <stdint.h>
#include <string.h>

#include "check_internal.h"
#include "names.h"

#define CHECK_PERCENT_SCALE 1000000000ULL /* 1 % */

static const struct {
	const char *plural;
	enum ast_unit unit;
	const char *example;
} check_units[] = {
	[UBLKPOL_PARAM_NUMBER] = { "a plain number", AST_UNIT_NUMBER, "100" },
	[UBLKPOL_PARAM_BYTES] = { "a size", AST_UNIT_BYTES, "64KiB" },
	[UBLKPOL_PARAM_PERCENT] = { "a percentage", AST_UNIT_PERCENT, "1%" },
	[UBLKPOL_PARAM_TIME] = { "a time", AST_UNIT_TIME, "5ms" },
	[UBLKPOL_PARAM_BYTE_RATE] = { "a rate", AST_UNIT_BYTE_RATE, "100MiB/s" },
	[UBLKPOL_PARAM_IOPS] = { "a rate", AST_UNIT_IOPS, "500iops" },
};

static enum ublkpol_param_unit check_unit_kind(enum ast_unit unit)
{
	enum ublkpol_param_unit kind = UBLKPOL_PARAM_NUMBER;

	while (check_units[kind].unit != unit)
		kind++;
	return kind;
}

/* Bytes of a size or LBA, a whole number of sectors; false after an error */
bool check_bytes(struct check *check, struct ast_quantity *quantity)
{
	unsigned __int128 value = quantity->digits;
	__u64 divisor = 1;

	if (quantity->unit != AST_UNIT_NUMBER && quantity->unit != AST_UNIT_BYTES) {
		diag_error(check->diag, quantity->location,
			   "units are B, KiB, MiB, GiB and TiB; a bare number counts sectors of "
			   "512 bytes",
			   "%s has no meaning here",
			   check_units[check_unit_kind(quantity->unit)].plural);
		return false;
	}
	for (unsigned int i = 0; i < quantity->decimals; i++)
		divisor *= 10;
	value *= quantity->unit == AST_UNIT_NUMBER ? CHECK_SECTOR : quantity->factor;

	if (value % divisor || value / divisor % CHECK_SECTOR) {
		diag_error(check->diag, quantity->location, NULL,
			   "this is no whole number of 512-byte sectors");
		return false;
	}
	if (value / divisor > INT64_MAX) {
		diag_error(check->diag, quantity->location, NULL,
			   "this is larger than any device can be (8388608TiB)");
		return false;
	}
	quantity->value = value / divisor;
	return true;
}

/* The value in its unit's own measure, which has no fractions */
static bool check_whole(struct check *check, struct ast_quantity *quantity, const char *what)
{
	unsigned __int128 value = (unsigned __int128)quantity->digits * quantity->factor;
	__u64 divisor = 1;

	for (unsigned int i = 0; i < quantity->decimals; i++)
		divisor *= 10;
	if (value % divisor) {
		diag_error(check->diag, quantity->location, NULL, "this is no whole number%s",
			   what);
		return false;
	}
	if (value / divisor > INT64_MAX) {
		diag_error(check->diag, quantity->location, NULL, "this is too large");
		return false;
	}
	quantity->value = value / divisor;
	return true;
}

static bool check_percent(struct check *check, struct ast_quantity *quantity)
{
	unsigned __int128 value = (unsigned __int128)quantity->digits * CHECK_PERCENT_SCALE;

	for (unsigned int i = 0; i < quantity->decimals; i++)
		value /= 10;
	if (value > 100 * CHECK_PERCENT_SCALE) {
		diag_error(check->diag, quantity->location, NULL, "more than 100%%");
		return false;
	}
	quantity->value = value;
	return true;
}

static bool check_bound(struct check *check, struct ast_quantity *bound)
{
	if (bound->unit == AST_UNIT_END)
		return true;
	return bound->unit == AST_UNIT_PERCENT ? check_percent(check, bound)
					       : check_bytes(check, bound);
}

/* --- ranges --- */

static bool check_is_bytes(const struct ast_quantity *quantity)
{
	return quantity->unit == AST_UNIT_NUMBER || quantity->unit == AST_UNIT_BYTES;
}

/* "1-2GiB" is 1GiB-2GiB: the unit of the second end serves both */
static bool check_share_unit(struct ast_range *range)
{
	if (range->first.unit != AST_UNIT_NUMBER || !range->first.digits)
		return false;
	if (range->last.unit != AST_UNIT_BYTES && range->last.unit != AST_UNIT_PERCENT)
		return false;
	range->first.unit = range->last.unit;
	range->first.factor = range->last.factor;
	return true;
}

static const char *check_unit_text(const struct ast_quantity *quantity)
{
	if (quantity->unit == AST_UNIT_PERCENT)
		return "%";
	switch (quantity->factor) {
	case 1ULL << 10:
		return "KiB";
	case 1ULL << 20:
		return "MiB";
	case 1ULL << 30:
		return "GiB";
	case 1ULL << 40:
		return "TiB";
	default:
		return "B";
	}
}

static const char *check_sectors_text(struct check *check, __u64 sectors)
{
	if (sectors % 2)
		return arena_printf(check->arena, "%lluB", (unsigned long long)sectors * 512);
	if (sectors % 2048)
		return arena_printf(check->arena, "%lluKiB", (unsigned long long)sectors / 2);
	return arena_printf(check->arena, "%lluMiB", (unsigned long long)sectors / 2048);
}

static void check_order(struct check *check, const struct ast_range *range, bool is_shared)
{
	const struct ast_quantity *first = &range->first, *last = &range->last;
	const char *hint = NULL;

	if (last->unit == AST_UNIT_END && first->unit != AST_UNIT_END)
		return;
	if (first->unit != AST_UNIT_END && check_is_bytes(first) != check_is_bytes(last))
		return; /* depends on the size of the device */
	if (first->unit != AST_UNIT_END && first->value < last->value)
		return;

	if (first->unit == AST_UNIT_END)
		hint = "nothing lies behind the end of the device";
	else if (is_shared && first->unit == AST_UNIT_BYTES && !first->decimals)
		hint = arena_printf(check->arena,
				    "the unit of the second end serves both: this is %llu%s; for "
				    "sector %llu write %s",
				    (unsigned long long)first->digits, check_unit_text(first),
				    (unsigned long long)first->digits,
				    check_sectors_text(check, first->digits));
	else if (first->value == last->value)
		hint = "the second end is not part of the range";
	else
		hint = "the lower end comes first";
	diag_error(check->diag, range->location, hint, "the range is %s",
		   first->unit == AST_UNIT_END || first->value == last->value ? "empty"
									      : "reversed");
}

void check_range(struct check *check, struct ast_range *range)
{
	bool is_shared = check_share_unit(range);
	bool is_first_good, is_last_good;

	if (range->last.unit == AST_UNIT_NUMBER &&
	    (range->first.unit == AST_UNIT_BYTES || range->first.unit == AST_UNIT_PERCENT)) {
		diag_error(check->diag, range->last.location,
			   arena_printf(check->arena, "did you mean '%llu%s'?",
					(unsigned long long)range->last.digits,
					check_unit_text(&range->first)),
			   "the second end of the range has no unit");
		return;
	}
	is_first_good = check_bound(check, &range->first);
	is_last_good = check_bound(check, &range->last);
	if (is_first_good && is_last_good)
		check_order(check, range, is_shared);
}

/* Sizes, chunks and offsets are whole blocks; only boundaries are rounded, when it is loaded */
void check_block_multiple(struct check *check, const struct ast_quantity *quantity,
			  const char *what)
{
	__u64 block = check->policy->block;

	if (block && check_is_bytes(quantity) && quantity->value % block)
		diag_error(check->diag, quantity->location, NULL,
			   "%s is no multiple of the block, %llu bytes", what,
			   (unsigned long long)block);
}

/* --- values and parameters --- */

static bool check_unit_value(struct check *check, struct ast_quantity *quantity,
			     enum ublkpol_param_unit unit)
{
	switch (unit) {
	case UBLKPOL_PARAM_BYTES:
		return check_bytes(check, quantity);
	case UBLKPOL_PARAM_PERCENT:
		return check_percent(check, quantity);
	case UBLKPOL_PARAM_TIME:
		return check_whole(check, quantity, " of nanoseconds");
	case UBLKPOL_PARAM_BYTE_RATE:
		return check_whole(check, quantity, " of bytes");
	case UBLKPOL_PARAM_IOPS:
		return check_whole(check, quantity, " of requests");
	default:
		return check_whole(check, quantity, "");
	}
}

bool check_param_quantity(struct check *check, struct ast_quantity *quantity,
			  enum ublkpol_param_unit *unit)
{
	*unit = check_unit_kind(quantity->unit);
	return check_unit_value(check, quantity, *unit);
}

/* Is @value what @use needs? */
static bool check_limits(struct check *check, struct location location, __u64 value,
			 const struct check_use *use)
{
	if (use->flags & UBLKPOL_PARAM_NOT_ZERO && !value) {
		diag_error(check->diag, location, NULL, "this must not be 0");
		return false;
	}
	if (use->flags & UBLKPOL_PARAM_POWER_OF_TWO && value & (value - 1)) {
		diag_error(check->diag, location, NULL, "this must be a power of two");
		return false;
	}
	if (value > use->max) {
		diag_error(check->diag, location, NULL, "this is too large, at most %s",
			   use->example);
		return false;
	}
	return true;
}

static struct ast_param *check_find_param(struct check *check, struct ast_name *name)
{
	struct ast_policy *policy = check->policy;
	const char **candidates =
		arena_alloc(check->arena, (policy->nr_params + 1) * sizeof(*candidates));
	const char *closest;

	for (unsigned int i = 0; i < policy->nr_params; i++) {
		candidates[i] = policy->params[i].declaration->name->text;
		if (!strcmp(candidates[i], name->text)) {
			name->index = i;
			policy->params[i].is_used = true;
			return &policy->params[i];
		}
	}
	closest = names_closest(name->text, candidates, policy->nr_params);
	diag_error(check->diag, name->location,
		   closest ? arena_printf(check->arena, "did you mean '$%s'?", closest)
			   : arena_printf(check->arena, "declare it: 'param %s = ...'", name->text),
		   "unknown parameter '$%s'", name->text);
	return NULL;
}

static bool check_param_use(struct check *check, struct ast_value *value,
			    const struct check_use *use)
{
	struct ast_param *param = check_find_param(check, value->param);

	if (!param)
		return false;
	/* As in the policy itself, a bare number of a size counts sectors */
	if (param->unit == UBLKPOL_PARAM_NUMBER && use->unit == UBLKPOL_PARAM_BYTES &&
	    !param->is_counted && param->value <= INT64_MAX / CHECK_SECTOR) {
		param->unit = UBLKPOL_PARAM_BYTES;
		param->value *= CHECK_SECTOR;
	}
	if (param->unit != use->unit) {
		diag_error(check->diag, value->location,
			   arena_printf(check->arena, "declare it as %s, such as %s",
					check_units[use->unit].plural,
					check_units[use->unit].example),
			   "'$%s' is %s, but %s belongs here", value->param->text,
			   check_units[param->unit].plural, check_units[use->unit].plural);
		diag_also(check->diag, param->declaration->location, "declared here");
		return false;
	}
	param->is_counted |= use->unit == UBLKPOL_PARAM_NUMBER;
	param->flags |= use->flags;
	if (param->max > use->max)
		param->max = use->max;
	return check_limits(check, param->declaration->quantity.location, param->value, use);
}

bool check_value(struct check *check, struct ast_value *value, const struct check_use *use)
{
	struct ast_quantity *quantity = &value->quantity;
	bool is_sectors = use->unit == UBLKPOL_PARAM_BYTES && quantity->unit == AST_UNIT_NUMBER;

	if (value->param)
		return check_param_use(check, value, use);
	if (quantity->unit != check_units[use->unit].unit && !is_sectors) {
		diag_error(check->diag, value->location,
			   arena_printf(check->arena, "such as %s", check_units[use->unit].example),
			   "%s belongs here", check_units[use->unit].plural);
		return false;
	}
	return check_unit_value(check, quantity, use->unit) &&
	       check_limits(check, value->location, quantity->value, use);
}
