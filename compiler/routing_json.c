// SPDX-License-Identifier: GPL-2.0-only
/* The plan for programs: the format is described in ublkpolc(1) */
#include <string.h>

#include "json.h"
#include "routing.h"

#define ROUTING_SECTOR	     512ULL
#define ROUTING_JSON_VERSION 2

static void json_device(struct json *json, const struct routing *routing)
{
	json_begin_object(json, "device");
	json_number(json, "size", routing->dev_sectors * ROUTING_SECTOR);
	json_bool(json, "is_made_up", routing->scale != ROUTING_EXACT);
	json_number(json, "block", routing->block);
	json_end_object(json);
}

static void json_backends(struct json *json, const struct routing *routing)
{
	json_begin_array(json, "backends");
	for (__u32 i = 0; i < routing->image->header->nr_backends; i++) {
		const struct ublkpol_backend *backend = &routing->image->backends[i];

		json_begin_object(json, NULL);
		json_string(json, "name", routing_string(routing, backend->name));
		json_string(json, "path", routing_string(routing, backend->path));
		json_number(json, "line", backend->line);
		if (routing->needed[i].is_unknown)
			json_null(json, "needed");
		else
			json_number(json, "needed", routing->needed[i].last * ROUTING_SECTOR);
		json_end_object(json);
	}
	json_end_array(json);
}

/* --- rules --- */

static void json_operations(struct json *json, unsigned int ops)
{
	static const char *const names[UBLKPOL_NR_OPS] = { "read", "write", "flush", "discard",
							   "write-zeroes" };

	json_begin_array(json, "operations");
	for (int i = 0; i < UBLKPOL_NR_OPS; i++) {
		if (ops & 1U << i)
			json_string(json, NULL, names[i]);
	}
	json_end_array(json);
}

/* The legs of a composite; of a hash, with their shares */
static void json_legs(struct json *json, const struct policy_image *image,
		      const struct ublkpol_target *target)
{
	const __u32 *legs = image->legs + target->first_leg;

	if (!policy_image_has_legs(target->action))
		return;
	json_begin_array(json, "legs");
	for (__u32 i = 0, shares; i < target->nr_legs; i += shares) {
		for (shares = 1; i + shares < target->nr_legs && legs[i + shares] == legs[i];)
			shares++;
		json_begin_object(json, NULL);
		json_number(json, "backend", legs[i]);
		if (target->action == UBLKPOL_ACTION_HASH)
			json_number(json, "weight", shares);
		json_end_object(json);
	}
	json_end_array(json);
}

static void json_mirror(struct json *json, const struct ublkpol_target *target)
{
	static const char *const choices[UBLKPOL_NR_READ_CHOICES] = {
		[UBLKPOL_READ_FIRST] = "first",
		[UBLKPOL_READ_ROUND_ROBIN] = "round-robin",
		[UBLKPOL_READ_BY_LBA] = "by LBA",
	};

	if (target->action != UBLKPOL_ACTION_MIRROR)
		return;
	json_string(json, "read", choices[target->read_choice]);
	json_bool(json, "degrade", target->degrade);
}

static void json_action(struct json *json, const struct routing *routing,
			const struct ublkpol_rule *rule)
{
	static const char *const kinds[UBLKPOL_NR_ACTIONS] = {
		[UBLKPOL_ACTION_BACKEND] = "backend", [UBLKPOL_ACTION_STRIPE] = "stripe",
		[UBLKPOL_ACTION_ERROR] = "error",     [UBLKPOL_ACTION_CONCAT] = "concat",
		[UBLKPOL_ACTION_MIRROR] = "mirror",   [UBLKPOL_ACTION_HASH] = "hash",
		[UBLKPOL_ACTION_ZERO] = "zero",	      [UBLKPOL_ACTION_DROP] = "drop",
		[UBLKPOL_ACTION_USER] = "user",
	};
	const struct ublkpol_target *target = &routing->image->targets[rule->target];

	json_begin_object(json, "action");
	json_string(json, "kind", kinds[target->action]);
	json_legs(json, routing->image, target);
	if (target->chunk)
		json_number(json, "chunk", target->chunk);
	json_mirror(json, target);
	if (rule->at != UBLKPOL_NO_OFFSET)
		json_number(json, "at", rule->at);
	if (target->action == UBLKPOL_ACTION_ERROR)
		json_string(json, "error", strerrorname_np(target->error));
	json_end_object(json);
}

/* @value of a modifier: what it is when the policy is loaded, and which parameter changes it */
static void json_value(struct json *json, const struct ast_policy *policy, const char *key,
		       const struct ast_value *value)
{
	json_number(json, key,
		    value->param ? policy->params[value->param->index].value
				 : value->quantity.value);
	if (value->param)
		json_string(json, "param", value->param->text);
}

static bool json_is_iops(const struct ast_policy *policy, const struct ast_value *value)
{
	return value->param ? policy->params[value->param->index].unit == UBLKPOL_PARAM_IOPS
			    : value->quantity.unit == AST_UNIT_IOPS;
}

static void json_modifier(struct json *json, const struct ast_policy *policy,
			  const struct ast_modifier *modifier)
{
	json_begin_object(json, NULL);
	switch (modifier->kind) {
	case AST_MODIFIER_COUNT:
		json_string(json, "kind", "count");
		json_string(json, "name", modifier->name->text);
		break;
	case AST_MODIFIER_TRACE:
		json_string(json, "kind", "trace");
		break;
	case AST_MODIFIER_DELAY:
		json_string(json, "kind", "delay");
		json_value(json, policy, "nanoseconds", &modifier->value);
		break;
	case AST_MODIFIER_LIMIT:
		json_string(json, "kind", "limit");
		json_value(json, policy,
			   json_is_iops(policy, &modifier->value) ? "requests_per_second"
								  : "bytes_per_second",
			   &modifier->value);
		break;
	}
	json_end_object(json);
}

static void json_rules(struct json *json, const struct routing *routing, const struct plan *plan)
{
	json_begin_array(json, "rules");
	for (__u32 i = 0; i < routing->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &routing->image->rules[i];

		json_begin_object(json, NULL);
		json_string(json, "file", routing_string(routing, rule->source));
		json_number(json, "line", rule->line);
		json_string(json, "label", routing_string(routing, rule->label));
		json_string(json, "text", routing_string(routing, rule->text));
		json_operations(json, rule->ops);
		json_action(json, routing, rule);
		json_begin_array(json, "modifiers");
		for (const struct ast_modifier *m = plan->rules[i].rule->modifiers; m; m = m->next)
			json_modifier(json, plan->policy, m);
		json_end_array(json);
		json_end_object(json);
	}
	json_end_array(json);
}

/* --- flushes --- */

/* @rule: index, or UBLKPOL_NO_RULE for what goes to everything that is written */
static void json_flush(struct json *json, __u32 rule, bool is_conditional, __u64 backends)
{
	json_begin_object(json, NULL);
	if (rule == UBLKPOL_NO_RULE)
		json_null(json, "rule");
	else
		json_number(json, "rule", rule);
	json_bool(json, "is_conditional", is_conditional);
	json_begin_array(json, "backends");
	for (unsigned int i = 0; i < 64; i++) {
		if (backends & 1ULL << i)
			json_number(json, NULL, i);
	}
	json_end_array(json);
	json_end_object(json);
}

static void json_flushes(struct json *json, const struct policy_image *image)
{
	bool is_decided = false;
	__u64 written = 0;

	json_begin_array(json, "flushes");
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		written |= policy_image_written(image, i);
		if (is_decided || rule->flush == UBLKPOL_NEVER)
			continue;
		is_decided = rule->flush == UBLKPOL_ALWAYS;
		json_flush(json, i, !is_decided, policy_image_rule_legs(image, i));
	}
	if (!is_decided)
		json_flush(json, UBLKPOL_NO_RULE, false, written);
	json_end_array(json);
}

/* --- routes --- */

static void json_choice(struct json *json, const struct routing *routing,
			const struct routing_choice *choice, struct arena *arena)
{
	json_begin_object(json, NULL);
	if (choice->rule)
		json_number(json, "rule", choice->rule - routing->image->rules);
	else
		json_null(json, "rule");
	json_bool(json, "is_conditional", choice->is_conditional);
	json_string(json, "target", routing_target(routing, choice, arena));
	json_begin_array(json, "places");
	for (unsigned int i = 0; i < choice->nr_places; i++) {
		const struct routing_place *place = &choice->places[i];

		json_begin_object(json, NULL);
		json_number(json, "backend", place->backend);
		json_number(json, "start", place->first * ROUTING_SECTOR);
		json_number(json, "end", place->last * ROUTING_SECTOR);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

static void json_segment(struct json *json, const struct routing *routing,
			 const struct routing_segment *segment)
{
	struct arena arena = { 0 };

	json_begin_object(json, NULL);
	json_number(json, "start", segment->start * ROUTING_SECTOR);
	json_number(json, "end", segment->end * ROUTING_SECTOR);
	json_begin_array(json, "choices");
	for (unsigned int i = 0; i < segment->nr_choices; i++)
		json_choice(json, routing, &segment->choices[i], &arena);
	json_end_array(json);
	json_end_object(json);
	arena_free(&arena);
}

void routing_print_json(FILE *out, const struct routing *routing, const struct plan *plan)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json, NULL);
	json_number(&json, "version", ROUTING_JSON_VERSION);
	json_string(&json, "policy", routing_string(routing, routing->image->header->source));
	json_device(&json, routing);
	json_backends(&json, routing);
	json_rules(&json, routing, plan);
	json_flushes(&json, routing->image);
	json_begin_array(&json, "routes");
	for (unsigned int i = 0; i < routing->nr_parts; i++) {
		json_begin_object(&json, NULL);
		json_operations(&json, routing->parts[i].ops);
		json_begin_array(&json, "segments");
		for (unsigned int k = 0; k < routing->parts[i].nr_segments; k++)
			json_segment(&json, routing, &routing->parts[i].segments[k]);
		json_end_array(&json);
		json_end_object(&json);
	}
	json_end_array(&json);
	json_end_object(&json);
}
