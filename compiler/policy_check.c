// SPDX-License-Identifier: GPL-2.0-only
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <linux/ublk_bpf.h>

#include "policy_check.h"
#include "names.h"
#include "ublkpol_object.h"

#define CHECK_SECTOR	    512U
#define CHECK_MIN_BLOCK	    512U
#define CHECK_MAX_BLOCK	    4096U
#define CHECK_PERCENT_SCALE 1000000000ULL /* 1 % */

#define CHECK_WRITE_OPS (UBLKPOL_OP_WRITE | UBLKPOL_OP_DISCARD | UBLKPOL_OP_WRITE_ZEROES)
#define CHECK_DATA_OPS	(UBLKPOL_OP_READ | CHECK_WRITE_OPS)

struct check {
	struct ast_policy *policy;
	struct arena *arena;
	struct diag *diag;
	unsigned int max_backends; /* room in policy->backends */
};

static void check_not_supported(struct check *check, struct location location)
{
	diag_error(check->diag, location, NULL, "this is not supported yet");
}

/* --- quantities --- */

/* Bytes of a size or LBA, a whole number of sectors; false after an error */
static bool check_bytes(struct check *check, struct ast_quantity *quantity)
{
	unsigned __int128 value = quantity->digits;
	__u64 divisor = 1;

	if (quantity->unit != AST_UNIT_NUMBER && quantity->unit != AST_UNIT_BYTES) {
		diag_error(check->diag, quantity->location,
			   "units are B, KiB, MiB, GiB and TiB; a bare number counts sectors of "
			   "512 bytes",
			   "a percentage has no meaning here");
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

static void check_range(struct check *check, struct ast_range *range)
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

/* Boundaries in bytes are whole blocks; what a percentage is, is rounded */
static void check_block_multiple(struct check *check, const struct ast_quantity *quantity,
				 const char *what)
{
	__u64 block = check->policy->block;

	if (block && check_is_bytes(quantity) && quantity->value % block)
		diag_error(check->diag, quantity->location, NULL,
			   "%s is no multiple of the block, %llu bytes", what,
			   (unsigned long long)block);
}

/* --- backends --- */

static struct ast_backend *check_find_backend(struct check *check, const char *name)
{
	for (unsigned int i = 0; i < check->policy->nr_backends; i++) {
		if (!strcmp(check->policy->backends[i].name, name))
			return &check->policy->backends[i];
	}
	return NULL;
}

static struct ast_backend *check_add_backend(struct check *check, const struct ast_name *name)
{
	struct ast_backend *backend;

	if (check->policy->nr_backends == check->max_backends) {
		unsigned int max = check->max_backends ? 2 * check->max_backends : 16;
		struct ast_backend *bigger = arena_alloc(check->arena, max * sizeof(*bigger));

		if (check->max_backends)
			memcpy(bigger, check->policy->backends,
			       check->max_backends * sizeof(*bigger));
		check->policy->backends = bigger;
		check->max_backends = max;
	}
	if (check->policy->nr_backends == UBLK_BPF_MAX_SLOTS)
		diag_error(check->diag, name->location, NULL, "more than %u backends",
			   UBLK_BPF_MAX_SLOTS);

	backend = &check->policy->backends[check->policy->nr_backends++];
	*backend = (struct ast_backend){
		.name = name->text,
		.path = "",
		.location = name->location,
	};
	return backend;
}

/* fd0, fd1 ...: backends that need no declaration */
static bool check_is_implicit(const char *name)
{
	if (strncmp(name, "fd", 2) || !name[2] || (name[2] == '0' && name[3]))
		return false;
	for (name += 2; *name; name++) {
		if (!isdigit((unsigned char)*name))
			return false;
	}
	return true;
}

static const char *check_backend_hint(struct check *check, const char *name)
{
	const char **candidates =
		arena_alloc(check->arena, (check->policy->nr_backends + 1) * sizeof(*candidates));
	const char *closest;

	for (unsigned int i = 0; i < check->policy->nr_backends; i++)
		candidates[i] = check->policy->backends[i].name;
	closest = names_closest(name, candidates, check->policy->nr_backends);
	if (closest)
		return arena_printf(check->arena, "did you mean '%s'?", closest);
	return arena_printf(check->arena,
			    "declare it with 'backend %s', or use fd0, fd1 ..., which need none",
			    name);
}

static void check_use_backend(struct check *check, struct ast_name *name)
{
	struct ast_backend *backend = check_find_backend(check, name->text);

	if (!backend && check_is_implicit(name->text))
		backend = check_add_backend(check, name);
	if (!backend) {
		diag_error(check->diag, name->location, check_backend_hint(check, name->text),
			   "unknown backend '%s'", name->text);
		return;
	}
	backend->is_used = true;
	name->index = backend - check->policy->backends;
}

/* --- declarations --- */

static void check_declare_backend(struct check *check, const struct ast_declaration *declaration)
{
	struct ast_backend *backend = check_find_backend(check, declaration->name->text);

	if (backend) {
		diag_error(check->diag, declaration->name->location, NULL,
			   "backend '%s' is declared twice", backend->name);
		diag_also(check->diag, backend->location, "declared here");
		return;
	}
	backend = check_add_backend(check, declaration->name);
	backend->is_declared = true;
	if (declaration->path)
		backend->path = declaration->path;
	if (declaration->path && !*declaration->path)
		diag_error(check->diag, declaration->location, NULL, "the path is empty");
}

static void check_declare_size(struct check *check, struct ast_declaration *declaration)
{
	if (check->policy->size) {
		diag_error(check->diag, declaration->location, NULL, "'size' is declared twice");
		return;
	}
	if (!check_bytes(check, &declaration->quantity))
		return;
	if (!declaration->quantity.value)
		diag_error(check->diag, declaration->quantity.location, NULL,
			   "the device would be empty");
	check->policy->size = declaration->quantity.value;
}

static void check_declare_block(struct check *check, struct ast_declaration *declaration)
{
	__u64 block;

	if (check->policy->block) {
		diag_error(check->diag, declaration->location, NULL, "'block' is declared twice");
		return;
	}
	if (!check_bytes(check, &declaration->quantity))
		return;
	block = declaration->quantity.value;
	if (block < CHECK_MIN_BLOCK || block > CHECK_MAX_BLOCK || block & (block - 1))
		diag_error(check->diag, declaration->quantity.location,
			   declaration->quantity.unit == AST_UNIT_NUMBER
				   ? "a bare number counts sectors of 512 bytes: write 512B or 4KiB"
				   : NULL,
			   "a block is 512B, 1KiB, 2KiB or 4KiB");
	else
		check->policy->block = block;
}

static void check_declarations(struct check *check)
{
	for (struct ast_declaration *d = check->policy->declarations; d; d = d->next) {
		switch (d->kind) {
		case AST_DECLARE_BACKEND:
			check_declare_backend(check, d);
			break;
		case AST_DECLARE_SIZE:
			check_declare_size(check, d);
			break;
		case AST_DECLARE_BLOCK:
			check_declare_block(check, d);
			break;
		case AST_DECLARE_INCLUDE:
			break;
		case AST_DECLARE_PARAM:
		case AST_DECLARE_SET:
		case AST_DECLARE_LANGUAGE:
			check_not_supported(check, d->location);
			break;
		}
	}
	for (struct ast_declaration *d = check->policy->declarations; d; d = d->next) {
		if (d->kind == AST_DECLARE_SIZE)
			check_block_multiple(check, &d->quantity, "the size");
	}
}

/* --- conditions --- */

static void check_condition(struct check *check, struct ast_rule *rule)
{
	struct ast_condition *list = rule->condition;
	const struct ast_condition *ops = NULL;

	if (list && list->kind == AST_CONDITION_AND)
		list = list->operands;
	for (struct ast_condition *c = list; c; c = c->next) {
		if (c->kind == AST_CONDITION_LBA) {
			if (rule->lba) {
				diag_error(check->diag, c->location,
					   "join the ranges with a comma: 'LBA a-b, c-d'",
					   "a second list of ranges");
				diag_also(check->diag, rule->lba->location, "");
			}
			rule->lba = c;
			continue;
		}
		if (c->kind != AST_CONDITION_OPS) {
			check_not_supported(check, c->location);
			continue;
		}
		if (ops) {
			diag_error(check->diag, c->location,
				   "join the operations with a comma: 'read, write'",
				   "no request is two operations at once");
			diag_also(check->diag, ops->location, "");
		}
		ops = c;
	}

	rule->ops = ops ? ops->ops : CHECK_DATA_OPS;
	if (rule->ops & UBLKPOL_OP_WRITE)
		rule->ops |= CHECK_WRITE_OPS;
	if (ops && ops->ops & UBLKPOL_OP_FLUSH && rule->lba)
		diag_error(check->diag, ops->location, "give 'flush' a rule of its own",
			   "a flush has no LBA");
	if (ops && !(rule->ops & UBLKPOL_OP_WRITE) && rule->ops & CHECK_WRITE_OPS &&
	    rule->action->kind != AST_ACTION_ERROR)
		diag_error(check->diag, ops->location,
			   "discard and write-zeroes follow the rules for writes; a rule of their "
			   "own can only be an error",
			   "discards without the writes of the same LBA");
}

static void check_lba(struct check *check, const struct ast_rule *rule)
{
	for (struct ast_range *range = rule->lba ? rule->lba->ranges : NULL; range;
	     range = range->next) {
		if (range->set) {
			check_not_supported(check, range->location);
			continue;
		}
		check_range(check, range);
		check_block_multiple(check, &range->first, "the boundary");
		check_block_multiple(check, &range->last, "the boundary");
	}
}

/* --- actions --- */

static void check_at(struct check *check, const struct ast_rule *rule)
{
	struct ast_quantity *at = &rule->action->at;

	if (check_bytes(check, at))
		check_block_multiple(check, at, "the offset");
	if (!rule->lba)
		diag_error(check->diag, at->location, "'LBA 0-end' is the whole device",
			   "'@' needs a rule with LBA ranges: they are what lands there");
}

static void check_stripe(struct check *check, struct ast_action *action)
{
	if (!action->names->next)
		diag_error(check->diag, action->location, NULL,
			   "a stripe needs two backends or more");
	for (const struct ast_name *name = action->names; name; name = name->next) {
		for (const struct ast_name *other = action->names; other != name;
		     other = other->next) {
			if (strcmp(name->text, other->text))
				continue;
			diag_error(check->diag, name->location, NULL,
				   "backend '%s' is in the stripe twice", name->text);
			diag_also(check->diag, other->location, "");
			break;
		}
	}

	if (!check_bytes(check, &action->chunk))
		return;
	if (!action->chunk.value)
		diag_error(check->diag, action->chunk.location, NULL, "the chunk is empty");
	if (action->chunk.value > 1U << 30)
		diag_error(check->diag, action->chunk.location, NULL, "a chunk is at most 1GiB");
	check_block_multiple(check, &action->chunk, "the chunk");
}

static void check_errno(struct check *check, struct ast_action *action)
{
	const char *name = action->names->text;
	const char *closest;

	action->error = names_errno(name);
	if (action->error)
		return;
	closest = names_closest_errno(name);
	diag_error(check->diag, action->names->location,
		   closest ? arena_printf(check->arena, "did you mean '%s'?", closest)
			   : "an error has a name such as EIO, ENOSPC or EROFS",
		   "unknown error '%s'", name);
}

static void check_action(struct check *check, struct ast_rule *rule)
{
	struct ast_action *action = rule->action;

	if (rule->modifiers)
		check_not_supported(check, rule->modifiers->location);
	if (action->kind == AST_ACTION_ERROR) {
		check_errno(check, action);
		return;
	}
	if (action->kind != AST_ACTION_BACKEND && action->kind != AST_ACTION_STRIPE)
		check_not_supported(check, action->location);
	for (struct ast_name *name = action->names; name; name = name->next)
		check_use_backend(check, name);
	if (action->kind == AST_ACTION_STRIPE)
		check_stripe(check, action);
	if (action->has_at)
		check_at(check, rule);
}

/* --- the whole policy --- */

static void check_labels(struct check *check)
{
	for (const struct ast_rule *rule = check->policy->rules; rule; rule = rule->next) {
		for (const struct ast_rule *other = check->policy->rules;
		     rule->label && other != rule; other = other->next) {
			if (!other->label || strcmp(rule->label->text, other->label->text))
				continue;
			diag_error(check->diag, rule->label->location, NULL,
				   "the label '%s' is taken", rule->label->text);
			diag_also(check->diag, other->label->location, "by this rule");
			break;
		}
	}
}

static void check_unused_backends(struct check *check)
{
	for (unsigned int i = 0; i < check->policy->nr_backends; i++) {
		const struct ast_backend *backend = &check->policy->backends[i];

		if (!backend->is_used)
			diag_check(check->diag, UBLKPOL_CHECK_UNUSED_BACKEND, backend->location,
				   NULL, "no rule uses backend '%s'", backend->name);
	}
}

void check_policy(struct ast_policy *policy, struct arena *arena, struct diag *diag)
{
	struct check check = { .policy = policy, .arena = arena, .diag = diag };

	check_declarations(&check);
	for (struct ast_rule *rule = policy->rules; rule; rule = rule->next) {
		policy->nr_rules++;
		check_condition(&check, rule);
		check_lba(&check, rule);
		check_action(&check, rule);
	}
	check_labels(&check);
	check_unused_backends(&check);
	if (!policy->rules && !diag->nr_errors)
		diag_error(diag, (struct location){ 0 }, "such as 'default -> fd0'",
			   "the policy has no rules");
}
