// SPDX-License-Identifier: GPL-2.0-only
/* What a rule does */
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <linux/ublk_bpf.h>

#include "check_internal.h"
#include "names.h"

#define CHECK_MAX_CHUNK	 (1U << 30)
#define CHECK_MAX_WEIGHT 1000U
#define CHECK_MAX_SHARES 1024U /* of all legs of a hash */

/* --- backends --- */

struct ast_backend *check_find_backend(struct check *check, const char *name)
{
	for (unsigned int i = 0; i < check->policy->nr_backends; i++) {
		if (!strcmp(check->policy->backends[i].name, name))
			return &check->policy->backends[i];
	}
	return NULL;
}

struct ast_backend *check_add_backend(struct check *check, const struct ast_name *name)
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

/* --- what follows an action --- */

/* The ranges that land at "@": the rule's only list, which must hold */
static bool check_has_one_list(const struct ast_rule *rule)
{
	const struct ast_condition *condition = rule->condition;

	if (!condition || rule->nr_lists != 1)
		return false;
	if (condition->kind == AST_CONDITION_AND)
		condition = condition->operands;
	while (condition && condition != rule->lists[0])
		condition = condition->next;
	return condition;
}

static void check_at(struct check *check, const struct ast_rule *rule)
{
	struct ast_quantity *at = &rule->action->at;

	if (check_bytes(check, at))
		check_block_multiple(check, at, "the offset");
	if (!check_has_one_list(rule))
		diag_error(check->diag, rule->action->at_location,
			   rule->nr_lists ? "divide the rule" : "'LBA 0-end' is the whole device",
			   "'@' needs a rule with %s of LBA ranges: they are what lands there",
			   rule->nr_lists ? "one list" : "a list");
}

static void check_suffixes(struct check *check, const struct ast_rule *rule)
{
	struct ast_action *action = rule->action;

	if (action->has_at && !action->names)
		diag_error(check->diag, action->at_location, NULL,
			   "an offset needs a backend that it lies on");
	else if (action->has_at && action->kind == AST_ACTION_ERROR)
		diag_error(check->diag, action->at_location, NULL, "an error has no offset");
	else if (action->has_at)
		check_at(check, rule);

	if (action->kind == AST_ACTION_MIRROR) {
		if (action->is_degrade && rule->ops && !(rule->ops & UBLKPOL_WRITE_OPS))
			diag_error(check->diag, action->degrade_location, NULL,
				   "nothing is written here that could degrade");
		return;
	}
	if (action->has_read_choice)
		diag_error(check->diag, action->read_location, NULL,
			   "only a mirror can choose where to read");
	if (action->is_degrade)
		diag_error(check->diag, action->degrade_location, NULL,
			   "only a mirror can degrade");
}

/* --- composites --- */

static const char *check_action_name(const struct ast_action *action)
{
	switch (action->kind) {
	case AST_ACTION_STRIPE:
		return "stripe";
	case AST_ACTION_CONCAT:
		return "concat";
	case AST_ACTION_MIRROR:
		return "mirror";
	default:
		return "hash";
	}
}

static void check_legs(struct check *check, struct ast_action *action)
{
	if (!action->names->next)
		diag_error(check->diag, action->location, NULL, "a %s needs two backends or more",
			   check_action_name(action));
	for (const struct ast_name *name = action->names; name; name = name->next) {
		for (const struct ast_name *other = action->names; other != name;
		     other = other->next) {
			if (strcmp(name->text, other->text))
				continue;
			diag_error(check->diag, name->location, NULL,
				   "backend '%s' is in the %s twice", name->text,
				   check_action_name(action));
			diag_also(check->diag, other->location, "");
			break;
		}
	}
}

static void check_chunk(struct check *check, struct ast_quantity *chunk)
{
	if (!check_bytes(check, chunk))
		return;
	if (!chunk->value)
		diag_error(check->diag, chunk->location, NULL, "the chunk is empty");
	if (chunk->value > CHECK_MAX_CHUNK)
		diag_error(check->diag, chunk->location, NULL, "a chunk is at most 1GiB");
	check_block_multiple(check, chunk, "the chunk");
}

static __u64 check_common_divisor(__u64 a, __u64 b)
{
	while (b) {
		__u64 rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Fills in the shares of the legs: their weights in lowest terms */
static void check_weights(struct check *check, struct ast_action *action)
{
	static const struct check_use use = { .unit = UBLKPOL_PARAM_NUMBER,
					      .flags = UBLKPOL_PARAM_NOT_ZERO,
					      .max = CHECK_MAX_WEIGHT,
					      .example = "1000" };
	__u64 divisor = 0, shares = 0;

	for (struct ast_name *name = action->names; name; name = name->next) {
		struct ast_value weight = { .location = name->weight.location,
					    .quantity = name->weight };

		if (name->has_weight && !check_value(check, &weight, &use))
			return;
		name->weight.value = name->has_weight ? weight.quantity.value : 1;
		divisor = check_common_divisor(name->weight.value, divisor);
	}
	for (struct ast_name *name = action->names; name; name = name->next) {
		name->weight.value /= divisor;
		shares += name->weight.value;
	}
	if (shares > CHECK_MAX_SHARES)
		diag_error(check->diag, action->location, "take smaller weights",
			   "the weights make %llu shares, at most %u are possible",
			   (unsigned long long)shares, CHECK_MAX_SHARES);
}

/* --- actions --- */

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

/* Some actions have no meaning for some operations */
static void check_ops(struct check *check, const struct ast_rule *rule)
{
	const struct ast_action *action = rule->action;

	if (action->kind == AST_ACTION_DROP && rule->ops & UBLKPOL_OP_READ)
		diag_error(check->diag, action->location,
			   "put 'write' in front of the rule, or let 'zero' serve reads too",
			   "a read cannot be dropped");
	if ((action->kind == AST_ACTION_DROP || action->kind == AST_ACTION_ZERO) &&
	    rule->ops & UBLKPOL_OP_FLUSH)
		diag_error(check->diag, action->location, NULL,
			   "a flush must reach the backends: it cannot be dropped");
}

void check_action(struct check *check, struct ast_rule *rule)
{
	struct ast_action *action = rule->action;

	check_suffixes(check, rule);
	check_ops(check, rule);
	if (action->kind == AST_ACTION_ERROR) {
		check_errno(check, action);
		return;
	}
	for (struct ast_name *name = action->names; name; name = name->next)
		check_use_backend(check, name);

	switch (action->kind) {
	case AST_ACTION_HASH:
		check_weights(check, action);
		/* fall through */
	case AST_ACTION_STRIPE:
		check_chunk(check, &action->chunk);
		/* fall through */
	case AST_ACTION_CONCAT:
	case AST_ACTION_MIRROR:
		check_legs(check, action);
		break;
	default:
		break;
	}
	if (action->kind == AST_ACTION_MIRROR && action->read_choice == AST_READ_BY_LBA)
		check_chunk(check, &action->read_chunk);
}

/* --- modifiers --- */

/* A limit is of requests or of bytes: the unit says which */
static enum ast_unit check_limit_unit(const struct check *check, const struct ast_modifier *limit)
{
	const struct ast_policy *policy = check->policy;

	if (!limit->value.param)
		return limit->value.quantity.unit;
	for (unsigned int i = 0; i < policy->nr_params; i++) {
		const struct ast_declaration *d = policy->params[i].declaration;

		if (!strcmp(d->name->text, limit->value.param->text))
			return d->quantity.unit;
	}
	return AST_UNIT_BYTE_RATE;
}

static void check_limit(struct check *check, struct ast_modifier *limit)
{
	struct check_use use = { .unit = UBLKPOL_PARAM_BYTE_RATE,
				 .flags = UBLKPOL_PARAM_NOT_ZERO,
				 .max = 1ULL << 50,
				 .example = "1024TiB/s" };

	if (check_limit_unit(check, limit) == AST_UNIT_IOPS) {
		use.unit = UBLKPOL_PARAM_IOPS;
		use.max = 1000000000;
		use.example = "1000000000iops";
	}
	check_value(check, &limit->value, &use);
}

/* May one rule have both? Two limits may be of bytes and of requests */
static bool check_is_second(const struct check *check, const struct ast_modifier *a,
			    const struct ast_modifier *b)
{
	return a->kind == b->kind && (a->kind != AST_MODIFIER_LIMIT ||
				      check_limit_unit(check, a) == check_limit_unit(check, b));
}

static void check_modifier(struct check *check, const struct ast_rule *rule,
			   struct ast_modifier *modifier)
{
	static const struct check_use delay = { .unit = UBLKPOL_PARAM_TIME,
						.flags = UBLKPOL_PARAM_NOT_ZERO,
						.max = UBLK_BPF_MAX_HOLD_NS,
						.example = "60s" };
	enum ast_action_kind action = rule->action->kind;

	for (const struct ast_modifier *m = rule->modifiers; m != modifier; m = m->next) {
		if (check_is_second(check, m, modifier)) {
			diag_error(check->diag, modifier->location, NULL,
				   "a second modifier of this kind");
			diag_also(check->diag, m->location, "");
		}
	}
	if ((modifier->kind == AST_MODIFIER_DELAY || modifier->kind == AST_MODIFIER_LIMIT) &&
	    (action == AST_ACTION_ERROR || action == AST_ACTION_USER))
		diag_error(check->diag, modifier->location, NULL,
			   "only what the kernel serves itself can wait, not %s",
			   action == AST_ACTION_ERROR ? "an error" : "what goes to the server");

	if (modifier->kind == AST_MODIFIER_DELAY)
		check_value(check, &modifier->value, &delay);
	if (modifier->kind == AST_MODIFIER_LIMIT)
		check_limit(check, modifier);
}

void check_modifiers(struct check *check, struct ast_rule *rule)
{
	for (struct ast_modifier *m = rule->modifiers; m; m = m->next)
		check_modifier(check, rule, m);
}
