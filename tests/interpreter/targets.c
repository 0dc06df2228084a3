// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>

#include "interpret.h"

#define SECTOR 512

static unsigned int nr_names(const struct ast_name *name)
{
	unsigned int nr = 0;

	for (; name; name = name->next)
		nr++;
	return nr;
}

static unsigned int leg(const struct ast_name *name, unsigned int number)
{
	while (number--)
		name = name->next;
	return name->index;
}

const struct ast_condition *interpret_lba_list(const struct ast_condition *condition)
{
	const struct ast_condition *found = NULL;

	if (!condition || condition->kind == AST_CONDITION_LBA)
		return condition;
	for (const struct ast_condition *c = condition->operands; c && !found; c = c->next)
		found = interpret_lba_list(c);
	return found;
}

/* Sectors of the list before @sector, packed in the order they are written in */
static uint64_t packed(const struct interpreter *in, const struct ast_range *ranges,
		       uint64_t sector)
{
	struct interpret_walk walk = { .next = ranges };
	uint64_t position = 0;

	while (interpret_next_range(in, &walk)) {
		if (sector >= walk.first && sector < walk.last)
			return position + sector - walk.first;
		position += walk.last - walk.first;
	}
	return position;
}

static uint64_t position_of(const struct interpreter *in, const struct ast_rule *rule,
			    uint64_t sector)
{
	const struct ast_condition *list = interpret_lba_list(rule->condition);

	if (!rule->action->has_at)
		return sector;
	return rule->action->at.value / SECTOR + packed(in, list->ranges, sector);
}

static void to_stripe(const struct ast_action *action, uint64_t position,
		      struct interpret_place *place)
{
	uint64_t chunk_sectors = action->chunk.value / SECTOR;
	uint64_t chunk = position / chunk_sectors;
	unsigned int nr = nr_names(action->names);

	place->backends[0] = leg(action->names, chunk % nr);
	place->sector = chunk / nr * chunk_sectors + position % chunk_sectors;
}

/* What does not fit on the first leg goes on at the start of the next one */
static void to_concat(const struct interpreter *in, const struct ast_action *action,
		      uint64_t position, struct interpret_place *place)
{
	const struct ast_name *name = action->names;

	while (name->next && position >= in->backend_sectors[name->index]) {
		position -= in->backend_sectors[name->index];
		name = name->next;
	}
	place->backends[0] = name->index;
	place->sector = position;
}

/* The chunk's number, well mixed, picks one of as many shares as the weights add up to */
static void to_hash(const struct ast_action *action, uint64_t position,
		    struct interpret_place *place)
{
	uint64_t mixed = position / (action->chunk.value / SECTOR);
	uint64_t shares = 0, share;
	const struct ast_name *name;

	mixed ^= mixed >> 30;
	mixed *= 0xbf58476d1ce4e5b9ULL;
	mixed ^= mixed >> 27;
	mixed *= 0x94d049bb133111ebULL;
	mixed ^= mixed >> 31;

	for (name = action->names; name; name = name->next)
		shares += name->has_weight ? name->weight.value : 1;
	share = (mixed >> 32) * shares >> 32;
	for (name = action->names; name; name = name->next) {
		uint64_t weight = name->has_weight ? name->weight.value : 1;

		if (share < weight)
			break;
		share -= weight;
	}
	place->backends[0] = name->index;
	place->sector = position;
}

/* Reads of a round-robin mirror may come from any leg: all of them are copies */
static void to_mirror(const struct ast_action *action, uint64_t position, bool is_write,
		      struct interpret_place *place)
{
	unsigned int nr = nr_names(action->names);

	place->sector = position;
	place->nr_copies = 0;
	if (is_write || action->read_choice == AST_READ_ROUND_ROBIN) {
		for (const struct ast_name *name = action->names; name; name = name->next)
			place->backends[place->nr_copies++] = name->index;
		return;
	}
	place->nr_copies = 1;
	place->backends[0] = leg(action->names, 0);
	if (action->read_choice == AST_READ_BY_LBA)
		place->backends[0] =
			leg(action->names, position / (action->read_chunk.value / SECTOR) % nr);
}

void interpret_target(const struct interpreter *in, const struct ast_rule *rule, uint64_t sector,
		      bool is_write, struct interpret_place *place)
{
	const struct ast_action *action = rule->action;
	uint64_t position = position_of(in, rule, sector);

	place->kind = INTERPRET_DATA;
	place->error = 0;
	place->nr_copies = 1;
	switch (action->kind) {
	case AST_ACTION_BACKEND:
		place->backends[0] = action->names->index;
		place->sector = position;
		break;
	case AST_ACTION_STRIPE:
		to_stripe(action, position, place);
		break;
	case AST_ACTION_CONCAT:
		to_concat(in, action, position, place);
		break;
	case AST_ACTION_HASH:
		to_hash(action, position, place);
		break;
	case AST_ACTION_MIRROR:
		to_mirror(action, position, is_write, place);
		break;
	case AST_ACTION_ZERO:
		place->kind = INTERPRET_ZERO;
		break;
	case AST_ACTION_DROP:
		place->kind = INTERPRET_DROP;
		break;
	case AST_ACTION_USER:
		place->kind = INTERPRET_USER;
		break;
	case AST_ACTION_ERROR:
		place->kind = INTERPRET_ERROR;
		place->error = action->error;
		break;
	}
}

/* --- how large is the device? --- */

static uint64_t smallest_leg(const struct interpreter *in, const struct ast_name *name)
{
	uint64_t smallest = UINT64_MAX;

	for (; name; name = name->next) {
		if (in->backend_sectors[name->index] < smallest)
			smallest = in->backend_sectors[name->index];
	}
	return smallest;
}

static uint64_t size_of_target(const struct interpreter *in, const struct ast_action *action)
{
	uint64_t size = UINT64_MAX;
	uint64_t chunk;

	switch (action->kind) {
	case AST_ACTION_BACKEND:
	case AST_ACTION_MIRROR:
	case AST_ACTION_HASH:
		return smallest_leg(in, action->names);
	case AST_ACTION_STRIPE:
		chunk = action->chunk.value / SECTOR;
		size = smallest_leg(in, action->names);
		return (size - size % chunk) * nr_names(action->names);
	case AST_ACTION_CONCAT:
		size = 0;
		for (const struct ast_name *name = action->names; name; name = name->next)
			size += in->backend_sectors[name->index];
		return size;
	default:
		return size;
	}
}

uint64_t interpret_size(const struct interpreter *in)
{
	uint64_t size = UINT64_MAX;

	if (in->policy->size)
		return in->policy->size / SECTOR;
	for (const struct ast_rule *rule = in->policy->rules; rule; rule = rule->next) {
		uint64_t target = size_of_target(in, rule->action);

		if (target < size)
			size = target;
	}
	return size == UINT64_MAX ? 0 : size - size % in->block;
}
