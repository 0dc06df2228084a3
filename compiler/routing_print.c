// SPDX-License-Identifier: GPL-2.0-only
/* The plan for scripts and programs */
#include <string.h>

#include "json.h"
#include "routing.h"

#define ROUTING_SECTOR	     512ULL
#define ROUTING_JSON_VERSION 1

/* --- lines --- */

static void print_choice(FILE *out, const struct routing *routing,
			 const struct routing_choice *choice, struct arena *arena)
{
	if (!choice->rule) {
		fputs(" unmatched", out);
		return;
	}
	fprintf(out, " %s line %u: %s", choice->is_conditional ? "maybe" : "rule",
		choice->rule->line, routing_target(routing, choice, arena));
	for (unsigned int i = 0; i < choice->nr_places; i++) {
		const struct routing_place *place = &choice->places[i];
		const struct ublkpol_backend *backend = &routing->image->backends[place->backend];

		fprintf(out, "%s%s %llu-%llu", i ? ", " : " at ",
			routing_string(routing, backend->name), place->first * ROUTING_SECTOR,
			place->last * ROUTING_SECTOR);
	}
}

static void print_part(FILE *out, const struct routing *routing, const struct routing_part *part)
{
	struct arena arena = { 0 };

	for (unsigned int i = 0; i < part->nr_segments; i++) {
		const struct routing_segment *segment = &part->segments[i];

		for (unsigned int k = 0; k < segment->nr_choices; k++) {
			fprintf(out, "%s %llu-%llu", part->name, segment->start * ROUTING_SECTOR,
				segment->end * ROUTING_SECTOR);
			print_choice(out, routing, &segment->choices[k], &arena);
			putc('\n', out);
		}
		arena_free(&arena);
	}
}

void routing_print(FILE *out, const struct routing *routing)
{
	fprintf(out, "# %s, bytes of a device of %llu%s\n",
		routing_string(routing, routing->image->header->source),
		routing->dev_sectors * ROUTING_SECTOR,
		routing->scale == ROUTING_EXACT ? "" : " (made up)");
	for (unsigned int i = 0; i < routing->nr_parts; i++)
		print_part(out, routing, &routing->parts[i]);
}

/* --- JSON --- */

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
		json_number(json, "needed", routing->needed[i].last * ROUTING_SECTOR);
		json_end_object(json);
	}
	json_end_array(json);
}

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

static void json_rules(struct json *json, const struct routing *routing)
{
	json_begin_array(json, "rules");
	for (__u32 i = 0; i < routing->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &routing->image->rules[i];

		json_begin_object(json, NULL);
		json_number(json, "line", rule->line);
		json_string(json, "label", routing_string(routing, rule->label));
		json_string(json, "text", routing_string(routing, rule->text));
		json_operations(json, rule->ops);
		json_end_object(json);
	}
	json_end_array(json);
}

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

void routing_print_json(FILE *out, const struct routing *routing)
{
	struct json json;

	json_init(&json, out);
	json_begin_object(&json, NULL);
	json_number(&json, "version", ROUTING_JSON_VERSION);
	json_string(&json, "policy", routing_string(routing, routing->image->header->source));
	json_device(&json, routing);
	json_backends(&json, routing);
	json_rules(&json, routing);
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
