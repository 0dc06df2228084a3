// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "interpret.h"
#include "ublkpol_object.h"

#define SECTOR		512
#define PERCENT		1000000000ULL /* ast_quantity.value of 1 % */
#define PRIO_LEVELS	8
#define PRIO_DEFAULT	4 /* of the class be */
#define IOPRIO_CLASS(p) ((p) >> 13 & 7)
#define IOPRIO_LEVEL(p) ((p)&7)

static uint64_t percent_of_device(const struct interpreter *in, uint64_t percent)
{
	uint64_t sector = (unsigned __int128)in->dev_sectors * percent / (100 * PERCENT);

	return sector - sector % in->block;
}

static uint64_t bound(const struct interpreter *in, const struct ast_quantity *bound)
{
	switch (bound->unit) {
	case AST_UNIT_END:
		return in->dev_sectors;
	case AST_UNIT_PERCENT:
		return percent_of_device(in, bound->value);
	default:
		return bound->value / SECTOR;
	}
}

/* The same of a range that was read from a file */
static uint64_t file_bound(const struct interpreter *in, const struct ublkpol_bound *bound)
{
	switch (bound->unit) {
	case UBLKPOL_UNIT_END:
		return in->dev_sectors;
	case UBLKPOL_UNIT_PERCENT:
		return percent_of_device(in, bound->value);
	default:
		return bound->value / SECTOR;
	}
}

bool interpret_next_range(const struct interpreter *in, struct interpret_walk *walk)
{
	const struct ast_range *range = walk->of_set;

	if (range) {
		walk->of_set = range->next;
	} else if (walk->set && walk->nth < walk->set->nr_file_ranges) {
		const struct ublkpol_range *file_range = &walk->set->file_ranges[walk->nth++];

		walk->first = file_bound(in, &file_range->first);
		walk->last = file_bound(in, &file_range->last);
		return true;
	} else {
		range = walk->next;
		if (!range)
			return false;
		walk->next = range->next;
		if (range->set) {
			walk->set = &in->policy->sets[range->set->index];
			walk->of_set = walk->set->declaration->ranges;
			walk->nth = 0;
			return interpret_next_range(in, walk);
		}
	}
	walk->first = bound(in, &range->first);
	walk->last = bound(in, &range->last);
	return true;
}

static bool in_ranges(const struct interpreter *in, const struct ast_range *ranges, uint64_t sector)
{
	struct interpret_walk walk = { .next = ranges };

	while (interpret_next_range(in, &walk)) {
		if (sector >= walk.first && sector < walk.last)
			return true;
	}
	return false;
}

uint64_t interpret_value(const struct interpreter *in, const struct ast_value *value)
{
	return value->param ? in->policy->params[value->param->index].value : value->quantity.value;
}

static bool compare(uint64_t a, enum ast_comparison comparison, uint64_t b)
{
	switch (comparison) {
	case AST_EQUAL:
		return a == b;
	case AST_NOT_EQUAL:
		return a != b;
	case AST_LESS:
		return a < b;
	case AST_AT_MOST:
		return a <= b;
	case AST_GREATER:
		return a > b;
	case AST_AT_LEAST:
		return a >= b;
	}
	return false;
}

static bool in_spans(const struct interpreter *in, const struct ast_span *span, uint64_t number)
{
	for (; span; span = span->next) {
		if (number >= interpret_value(in, &span->first) &&
		    number <= interpret_value(in, &span->last))
			return true;
	}
	return false;
}

/* Discards and write-zeroes are writes, too */
static bool is_op(unsigned int ops, unsigned int op)
{
	switch (op) {
	case UBLK_IO_OP_READ:
		return ops & UBLKPOL_OP_READ;
	case UBLK_IO_OP_WRITE:
		return ops & UBLKPOL_OP_WRITE;
	case UBLK_IO_OP_FLUSH:
		return ops & UBLKPOL_OP_FLUSH;
	case UBLK_IO_OP_DISCARD:
		return ops & (UBLKPOL_OP_DISCARD | UBLKPOL_OP_WRITE);
	case UBLK_IO_OP_WRITE_ZEROES:
		return ops & (UBLKPOL_OP_WRITE_ZEROES | UBLKPOL_OP_WRITE);
	default:
		return false;
	}
}

/*
 * Priorities in one row, the most urgent first: it is the lowest number. "be"
 * alone is the whole class, and "> be" what is more urgent than all of it.
 */
static bool has_prio(const struct interpreter *in, const struct ast_condition *condition,
		     unsigned int ioprio)
{
	unsigned int class = IOPRIO_CLASS(ioprio) ? IOPRIO_CLASS(ioprio) : AST_PRIO_BE;
	unsigned int level = IOPRIO_CLASS(ioprio) ? IOPRIO_LEVEL(ioprio) : PRIO_DEFAULT;
	/* Larger is more urgent */
	unsigned int urgency = (AST_PRIO_IDLE - class) * PRIO_LEVELS + PRIO_LEVELS - 1 - level;
	unsigned int low = (AST_PRIO_IDLE - condition->prio_class) * PRIO_LEVELS;
	unsigned int high = low + PRIO_LEVELS - 1;

	if (condition->has_level)
		low = high = high - interpret_value(in, &condition->value);
	switch (condition->comparison) {
	case AST_EQUAL:
		return urgency >= low && urgency <= high;
	case AST_NOT_EQUAL:
		return urgency < low || urgency > high;
	case AST_LESS:
		return urgency < low;
	case AST_AT_MOST:
		return urgency <= high;
	case AST_GREATER:
		return urgency > high;
	case AST_AT_LEAST:
		return urgency >= low;
	}
	return false;
}

/* The draw is compared with the chance as a whole number of parts of 2^32 */
static bool has_chance(uint64_t chance, uint32_t random)
{
	return random < ((unsigned __int128)chance << 32) / (100 * PERCENT);
}

bool interpret_holds(const struct interpreter *in, const struct ast_condition *condition,
		     const struct interpret_request *request, uint64_t sector, bool tick)
{
	uint64_t value = interpret_value(in, &condition->value);

	switch (condition->kind) {
	case AST_CONDITION_AND:
		for (const struct ast_condition *c = condition->operands; c; c = c->next) {
			if (!interpret_holds(in, c, request, sector, tick))
				return false;
		}
		return true;
	case AST_CONDITION_OR:
		for (const struct ast_condition *c = condition->operands; c; c = c->next) {
			if (interpret_holds(in, c, request, sector, tick))
				return true;
		}
		return false;
	case AST_CONDITION_NOT:
		return !interpret_holds(in, condition->operands, request, sector, tick);
	case AST_CONDITION_LBA:
		return request->op != UBLK_IO_OP_FLUSH && in_ranges(in, condition->ranges, sector);
	case AST_CONDITION_OPS:
		return is_op(condition->ops, request->op);
	case AST_CONDITION_SIZE:
		return compare((uint64_t)request->sectors * SECTOR, condition->comparison, value);
	case AST_CONDITION_ALIGNED:
		return request->sector * SECTOR % value == 0 &&
		       (uint64_t)request->sectors * SECTOR % value == 0;
	case AST_CONDITION_FLAG:
		return request->flags & condition->flags;
	case AST_CONDITION_PRIO:
		return has_prio(in, condition, request->ioprio);
	case AST_CONDITION_QUEUE:
		return in_spans(in, condition->spans, request->queue);
	case AST_CONDITION_CPU:
		return in_spans(in, condition->spans, request->cpu);
	case AST_CONDITION_CHANCE:
		return has_chance(value, request->random);
	case AST_CONDITION_EVERY:
		return tick;
	}
	return false;
}

static enum interpret_maybe lesser(enum interpret_maybe a, enum interpret_maybe b)
{
	return a < b ? a : b;
}

static enum interpret_maybe greater(enum interpret_maybe a, enum interpret_maybe b)
{
	return a > b ? a : b;
}

enum interpret_maybe interpret_may_hold(const struct interpreter *in,
					const struct ast_condition *condition, unsigned int op,
					uint64_t sector)
{
	enum interpret_maybe result;

	switch (condition->kind) {
	case AST_CONDITION_AND:
		result = INTERPRET_ALWAYS;
		for (const struct ast_condition *c = condition->operands; c; c = c->next)
			result = lesser(result, interpret_may_hold(in, c, op, sector));
		return result;
	case AST_CONDITION_OR:
		result = INTERPRET_NEVER;
		for (const struct ast_condition *c = condition->operands; c; c = c->next)
			result = greater(result, interpret_may_hold(in, c, op, sector));
		return result;
	case AST_CONDITION_NOT:
		return INTERPRET_ALWAYS - interpret_may_hold(in, condition->operands, op, sector);
	case AST_CONDITION_LBA:
		return op != UBLK_IO_OP_FLUSH && in_ranges(in, condition->ranges, sector)
			       ? INTERPRET_ALWAYS
			       : INTERPRET_NEVER;
	case AST_CONDITION_OPS:
		return is_op(condition->ops, op) ? INTERPRET_ALWAYS : INTERPRET_NEVER;
	default:
		return INTERPRET_MAYBE;
	}
}

bool interpret_names_flush(const struct ast_condition *condition)
{
	if (condition->kind == AST_CONDITION_OPS)
		return condition->ops & UBLKPOL_OP_FLUSH;
	for (const struct ast_condition *c = condition->operands; c; c = c->next) {
		if (interpret_names_flush(c))
			return true;
	}
	return false;
}
