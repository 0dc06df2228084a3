// SPDX-License-Identifier: GPL-2.0-only
/* The policy in symbolic form, as the object carries it */
#include <stdbool.h>
#include <string.h>

#include "emit_internal.h"

/* Tables begin at multiples of 8 */
#define EMIT_IMAGE_TABLES(table)                                                                   \
	table(backends, "struct ublkpol_backend") table(rules, "struct ublkpol_rule")              \
		table(targets, "struct ublkpol_target") table(lists, "struct ublkpol_list")        \
			table(parts, "struct ublkpol_part") table(outcomes, "__u32")               \
				table(sets, "struct ublkpol_set")                                  \
					table(params, "struct ublkpol_param") table(legs, "__u32") \
						table(ranges, "struct ublkpol_range")

static void emit_image_type(struct emit *e)
{
	const struct ublkpol_header *header = e->image->header;

	emit(e, "struct policy_image {\n");
	emit(e, "\tstruct ublkpol_header header;\n");
#define EMIT_TABLE_MEMBER(name, type) \
	emit(e, "\t" type " " #name "[%u] __attribute__((aligned(8)));\n", header->nr_##name);
	EMIT_IMAGE_TABLES(EMIT_TABLE_MEMBER)
	emit(e, "\tchar strings[%u] __attribute__((aligned(8)));\n", header->strings_size);
	emit(e, "};\n\n");
}

static void emit_image_header(struct emit *e)
{
	const struct ublkpol_header *header = e->image->header;

	emit(e, "\t.header = {\n");
	emit(e, "\t\t.magic = UBLKPOL_MAGIC,\n");
	emit(e, "\t\t.version = UBLKPOL_VERSION,\n");
	emit(e, "\t\t.image_size = sizeof(struct policy_image),\n");
	emit(e, "\t\t.size = %lluULL,\n", (unsigned long long)header->size);
	emit(e, "\t\t.block = %u,\n", header->block);
	emit(e, "\t\t.source = %u,\n", header->source);
	emit(e, "\t\t.checks = { .off = 0x%x, .errors = 0x%x },\n", header->checks.off,
	     header->checks.errors);
	emit(e, "\t\t.nr_conditions = { %u, %u },\n", header->nr_conditions[0],
	     header->nr_conditions[1]);
	emit(e, "\t\t.nr_mirrors = %u, .nr_modifiers = %u,\n", header->nr_mirrors,
	     header->nr_modifiers);
#define EMIT_TABLE_PLACE(name, type)                                                               \
	emit(e,                                                                                    \
	     "\t\t.nr_" #name " = %u, ." #name " = __builtin_offsetof(struct policy_image, " #name \
	     "),\n",                                                                               \
	     header->nr_##name);
	EMIT_IMAGE_TABLES(EMIT_TABLE_PLACE)
	emit(e,
	     "\t\t.strings_size = %u, .strings = __builtin_offsetof(struct policy_image, "
	     "strings),\n",
	     header->strings_size);
	emit(e, "\t},\n");
}

/* An index, or one of the names for none */
/* Between the entries of a table: a few on each line */
static void emit_image_blank(struct emit *e, __u32 index)
{
	emit(e, index % 4 ? " " : "\n\t\t");
}

static void emit_image_index(struct emit *e, __u32 index)
{
	if (index == UBLKPOL_NEVER)
		emit(e, "UBLKPOL_NEVER");
	else if (index == UBLKPOL_ALWAYS)
		emit(e, "UBLKPOL_ALWAYS");
	else
		emit(e, "%u", index);
}

static void emit_image_rule(struct emit *e, const struct ublkpol_rule *rule)
{
	emit(e, "\t\t{ .ops = 0x%x, .target = %u, .first_list = %u, .nr_lists = %u,\n", rule->ops,
	     rule->target, rule->first_list, rule->nr_lists);
	emit(e, "\t\t  .first_outcome = { %u, %u }, .flush = ", rule->first_outcome[0],
	     rule->first_outcome[1]);
	emit_image_index(e, rule->flush);
	emit(e, ", .modifiers = %u,\n", rule->modifiers);
	if (rule->at == UBLKPOL_NO_OFFSET)
		emit(e, "\t\t  .at = UBLKPOL_NO_OFFSET,");
	else
		emit(e, "\t\t  .at = %lluULL,", (unsigned long long)rule->at);
	emit(e, " .line = %u, .source = %u, .is_default = %u,\n", rule->line, rule->source,
	     rule->is_default);
	emit(e, "\t\t  .label = %u, .text = %u, .counter = %u },\n", rule->label, rule->text,
	     rule->counter);
}

static void emit_image_target(struct emit *e, const struct ublkpol_target *target)
{
	emit(e, "\t\t{ .action = %u, .first_leg = %u, .nr_legs = %u, .chunk = %u, .error = %d,\n",
	     target->action, target->first_leg, target->nr_legs, target->chunk, target->error);
	emit(e, "\t\t  .read_choice = %u, .degrade = %u, .mirror = %u },\n", target->read_choice,
	     target->degrade, target->mirror);
}

static void emit_image_bound(struct emit *e, const struct ublkpol_bound *bound)
{
	static const char *const units[] = {
		[UBLKPOL_UNIT_BYTES] = "UBLKPOL_UNIT_BYTES",
		[UBLKPOL_UNIT_PERCENT] = "UBLKPOL_UNIT_PERCENT",
		[UBLKPOL_UNIT_END] = "UBLKPOL_UNIT_END",
	};

	emit(e, "{ %lluULL, %s, %u }", (unsigned long long)bound->value, units[bound->unit],
	     bound->column);
}

static void emit_image_rules(struct emit *e)
{
	const struct policy_image *image = e->image;

	emit(e, "\t.backends = {\n");
	for (__u32 i = 0; i < image->header->nr_backends; i++)
		emit(e, "\t\t{ .name = %u, .path = %u, .line = %u },\n", image->backends[i].name,
		     image->backends[i].path, image->backends[i].line);
	emit(e, "\t},\n\t.rules = {\n");
	for (__u32 i = 0; i < image->header->nr_rules; i++)
		emit_image_rule(e, &image->rules[i]);
	emit(e, "\t},\n\t.targets = {\n");
	for (__u32 i = 0; i < image->header->nr_targets; i++)
		emit_image_target(e, &image->targets[i]);
	emit(e, "\t},\n\t.outcomes = {");
	for (__u32 i = 0; i < image->header->nr_outcomes; i++) {
		emit_image_blank(e, i);
		emit_image_index(e, image->outcomes[i]);
		emit_char(e, ',');
	}
	emit(e, "\n\t},\n\t.legs = {");
	for (__u32 i = 0; i < image->header->nr_legs; i++) {
		emit_image_blank(e, i);
		emit(e, "%u,", image->legs[i]);
	}
	emit(e, "\n\t},\n");
}

static void emit_image_names(struct emit *e)
{
	const struct policy_image *image = e->image;

	emit(e, "\t.sets = {\n");
	for (__u32 i = 0; i < image->header->nr_sets; i++)
		emit(e, "\t\t{ .name = %u, .line = %u, .first_range = %u, .nr_ranges = %u },\n",
		     image->sets[i].name, image->sets[i].line, image->sets[i].first_range,
		     image->sets[i].nr_ranges);
	emit(e, "\t},\n\t.params = {\n");
	for (__u32 i = 0; i < image->header->nr_params; i++)
		emit(e,
		     "\t\t{ .value = %lluULL, .max = %lluULL, .name = %u, .unit = %u, "
		     ".flags = %u, .line = %u },\n",
		     (unsigned long long)image->params[i].value,
		     (unsigned long long)image->params[i].max, image->params[i].name,
		     image->params[i].unit, image->params[i].flags, image->params[i].line);
	emit(e, "\t},\n");
}

static void emit_image_ranges(struct emit *e)
{
	const struct policy_image *image = e->image;

	emit(e, "\t.lists = {");
	for (__u32 i = 0; i < image->header->nr_lists; i++) {
		emit_image_blank(e, i);
		emit(e, "{ %u, %u },", image->lists[i].first_part, image->lists[i].nr_parts);
	}
	emit(e, "\n\t},\n\t.parts = {\n");
	for (__u32 i = 0; i < image->header->nr_parts; i++) {
		const struct ublkpol_part *part = &image->parts[i];

		emit(e, "\t\t{ ");
		if (part->set == UBLKPOL_NO_SET)
			emit(e, "UBLKPOL_NO_SET");
		else
			emit(e, "%u", part->set);
		emit(e, ", %u, %u, %u },\n", part->first_range, part->nr_ranges, part->column);
	}
	emit(e, "\t},\n\t.ranges = {\n");
	for (__u32 i = 0; i < image->header->nr_ranges; i++) {
		emit(e, "\t\t{ ");
		emit_image_bound(e, &image->ranges[i].first);
		emit(e, ", ");
		emit_image_bound(e, &image->ranges[i].last);
		emit(e, " },\n");
	}
	emit(e, "\t},\n");
}

static void emit_image_strings(struct emit *e)
{
	const char *end = e->image->strings + e->image->header->strings_size;
	const char *text = e->image->strings;

	emit(e, "\t.strings =");
	while (text < end) {
		bool is_last = text + strlen(text) + 1 == end;

		emit(e, "\n\t\t\"");
		emit_escaped(e, text);
		emit(e, is_last ? "\"" : "\\0\"");
		text += strlen(text) + 1;
	}
	emit(e, ",\n");
}

/* The compiler need not read what it only copies */
static void emit_image_file(struct emit *e)
{
	emit(e,
	     "asm(\".pushsection \" UBLKPOL_IMAGE_SECTION \",\\\"a\\\",@progbits\\n\"\n"
	     "    \".balign 8\\n\"\n"
	     "    \".incbin \\\"%s\\\"\\n\"\n"
	     "    \".popsection\\n\");\n",
	     e->image_file);
}

void emit_image(struct emit *e)
{
	if (e->image_file) {
		emit_image_file(e);
		return;
	}
	emit_image_type(e);
	emit(e, "const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {\n");
	emit_image_header(e);
	emit_image_rules(e);
	emit_image_names(e);
	emit_image_ranges(e);
	emit_image_strings(e);
	emit(e, "};\n");
}
