// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "emit.h"
#include "emit_internal.h"
#include "templates.h"

#define EMIT_MAX_SHOWN 8 /* rules in the comment of a target */

void emit_char(struct emit *e, char c)
{
	putc(c, e->out);
	e->line += c == '\n';
}

void emit(struct emit *e, const char *fmt, ...)
{
	va_list args;

	for (const char *p = fmt; *p; p++)
		e->line += *p == '\n';
	va_start(args, fmt);
	vfprintf(e->out, fmt, args);
	va_end(args);
}

const char *emit_text(const struct emit *e, __u32 string)
{
	return e->image->strings + string;
}

/* Inside a C string; octal digits cannot run into what follows */
void emit_escaped(struct emit *e, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			emit(e, "\\%c", *text);
		else if ((unsigned char)*text < ' ' || *text == 0x7f || *text == '?')
			emit(e, "\\%03o", (unsigned char)*text);
		else
			emit_char(e, *text);
	}
}

/* Inside a comment, which the text must not end */
void emit_comment(struct emit *e, const char *text)
{
	for (; *text; text++) {
		emit_char(e, (unsigned char)*text < ' ' ? ' ' : *text);
		if ((*text == '*' && text[1] == '/') || (*text == '/' && text[1] == '*'))
			emit_char(e, ' ');
	}
}

static void emit_line_directive(struct emit *e, int line, const char *file)
{
	emit(e, "#line %d \"", line);
	emit_escaped(e, file);
	emit(e, "\"\n");
}

void emit_policy_line(struct emit *e, const struct ublkpol_rule *rule)
{
	/* A file that the policy includes has its own name */
	bool is_own = rule->source == e->image->header->source;

	emit_line_directive(e, (int)rule->line,
			    is_own ? e->policy_file : emit_text(e, rule->source));
}

void emit_program_line(struct emit *e)
{
	emit_line_directive(e, e->line + 1, e->program_file);
}

/* --- counts and slots --- */

static unsigned int emit_max(const unsigned int of_dirs[UBLKPOL_NR_DIRS])
{
	return of_dirs[0] > of_dirs[1] ? of_dirs[0] : of_dirs[1];
}

static unsigned int emit_max_tests(const struct plan *plan)
{
	unsigned int max = emit_max(plan->nr_tests);

	return plan->nr_flush_tests > max ? plan->nr_flush_tests : max;
}

/* Legs of the largest mirror */
static unsigned int emit_max_copies(const struct policy_image *image)
{
	unsigned int max = 0;

	for (__u32 i = 0; i < image->header->nr_targets; i++) {
		const struct ublkpol_target *target = &image->targets[i];

		if (target->action == UBLKPOL_ACTION_MIRROR && target->nr_legs > max)
			max = target->nr_legs;
	}
	return max;
}

static void emit_counts(struct emit *e)
{
	const struct ublkpol_header *header = e->image->header;
	const struct {
		const char *name;
		unsigned int count;
	} counts[] = {
		{ "NR_RULES\t", header->nr_rules },
		{ "NR_BACKENDS\t", header->nr_backends },
		{ "NR_LEGS\t", header->nr_legs },
		{ "NR_PARAMS\t", header->nr_params },
		{ "NR_CONDITIONS\t", emit_max(e->plan->nr_conditions) },
		{ "NR_TESTS\t", emit_max_tests(e->plan) },
		{ "NR_TICKS\t", emit_max(e->plan->nr_ticks) },
		{ "HAS_TICKS\t", e->plan->has_flush_ticks || emit_max(e->plan->nr_ticks) },
		{ "NR_MODIFIERS\t", header->nr_modifiers },
		{ "NR_MIRRORS\t", header->nr_mirrors },
		{ "MAX_COPIES\t", emit_max_copies(e->image) },
		{ "HAS_TRACE\t", e->plan->has_trace },
	};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		emit(e, "#define UBLKPOL_%s%u\n", counts[i].name, counts[i].count);
	emit_mirrors(e);
}

void emit_slot(struct emit *e, __u32 backend)
{
	emit(e, "SLOT_%s", emit_text(e, e->image->backends[backend].name));
}

static void emit_slots(struct emit *e)
{
	if (!e->image->header->nr_backends)
		return;
	emit(e, "enum {\n");
	for (__u32 i = 0; i < e->image->header->nr_backends; i++) {
		emit(e, "\t");
		emit_slot(e, i);
		emit(e, " = %u,\n", i);
	}
	emit(e, "};\n");
}

/* --- targets --- */

static void emit_mirror(struct emit *e, const struct ublkpol_target *target)
{
	emit(e, "return UBLKPOL_TO_MIRROR(piece, %u, %u, %u, ", target->mirror, target->first_leg,
	     target->nr_legs);
	switch (target->read_choice) {
	case UBLKPOL_READ_ROUND_ROBIN:
		emit(e, "ublkpol_turn(%u) %% %u", target->mirror, target->nr_legs);
		break;
	case UBLKPOL_READ_BY_LBA:
		emit(e, "ublkpol_leg_by_lba(piece, %u, %u)", target->chunk / 512, target->nr_legs);
		break;
	default:
		emit(e, "0");
		break;
	}
	emit(e, ");");
}

static void emit_target_code(struct emit *e, const struct ublkpol_target *target)
{
	switch (target->action) {
	case UBLKPOL_ACTION_BACKEND:
		emit(e, "return UBLKPOL_TO_BACKEND(piece, ");
		emit_slot(e, e->image->legs[target->first_leg]);
		emit(e, ");");
		break;
	case UBLKPOL_ACTION_STRIPE:
		emit(e, "return UBLKPOL_TO_STRIPE(piece, %u, %u, %u);", target->chunk / 512,
		     target->first_leg, target->nr_legs);
		break;
	case UBLKPOL_ACTION_HASH:
		emit(e, "return UBLKPOL_TO_HASH(piece, %u, %u, %u);", target->chunk / 512,
		     target->first_leg, target->nr_legs);
		break;
	case UBLKPOL_ACTION_MIRROR:
		emit_mirror(e, target);
		break;
	case UBLKPOL_ACTION_ERROR:
		emit(e, "(void)piece; return -%s;", strerrorname_np(target->error));
		break;
	case UBLKPOL_ACTION_ZERO:
		emit(e, "(void)piece; return UBLKPOL_ZERO;");
		break;
	case UBLKPOL_ACTION_DROP:
		emit(e, "(void)piece; return UBLKPOL_DROP;");
		break;
	default:
		emit(e, "(void)piece; return UBLKPOL_USER;");
		break;
	}
}

/* Is the target what the rule does, or a leg of the rule's concat? */
static bool emit_rule_needs(const struct emit *e, const struct ublkpol_rule *rule, __u32 target)
{
	const struct ublkpol_target *own = &e->image->targets[rule->target];
	const struct ublkpol_target *wanted = &e->image->targets[target];

	if (own->action != UBLKPOL_ACTION_CONCAT)
		return rule->target == target;
	if (wanted->action != UBLKPOL_ACTION_BACKEND)
		return false;
	for (__u32 i = 0; i < own->nr_legs; i++) {
		if (e->image->legs[own->first_leg + i] == e->image->legs[wanted->first_leg])
			return true;
	}
	return false;
}

/* What the rules say, each in a line of the comment; returns the first of them */
static const struct ublkpol_rule *emit_target_comment(struct emit *e, __u32 target)
{
	const struct ublkpol_rule *first = NULL;
	const char *before = "\n/* ";
	unsigned int shown = 0;

	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &e->image->rules[i];

		if (!emit_rule_needs(e, rule, target))
			continue;
		if (!first)
			first = rule;
		emit(e, "%s%u: ", before, rule->line);
		if (++shown > EMIT_MAX_SHOWN) {
			emit(e, "and more");
			break;
		}
		emit_comment(e, emit_text(e, rule->text));
		before = "\n * ";
	}
	emit(e, " */\n");
	return first;
}

/*
 * One line of code, under the policy's own line number: that is the line which
 * the verifier's log then quotes.
 */
static void emit_targets(struct emit *e)
{
	for (__u32 i = 0; i < e->image->header->nr_targets; i++) {
		const struct ublkpol_target *target = &e->image->targets[i];
		const struct ublkpol_rule *rule;

		if (target->action == UBLKPOL_ACTION_CONCAT)
			continue;
		rule = emit_target_comment(e, i);
		emit_policy_line(e, rule);
		emit(e, "static __always_inline int target_%u(struct ublkpol_piece *piece) { ", i);
		emit_target_code(e, target);
		emit(e, " }\n");
		emit_program_line(e);
	}
}

static void emit_cases(struct emit *e, __u32 first, __u32 end)
{
	emit(e, "{\n\tswitch (target) {\n");
	for (__u32 i = first; i < end && i < e->image->header->nr_targets; i++) {
		if (e->image->targets[i].action != UBLKPOL_ACTION_CONCAT)
			emit(e, "\tcase %u:\n\t\treturn target_%u(piece);\n", i, i);
	}
	emit(e, "\tdefault:\n\t\treturn UBLKPOL_UNMATCHED;\n\t}\n}\n");
}

/* What the program does with the number of a target; many of them in functions of their own */
static void emit_place(struct emit *e)
{
	static const char place[] = "static __always_inline int policy_place(__u32 target, "
				    "struct ublkpol_piece *piece)\n";
	__u32 nr = e->image->header->nr_targets;

	if (nr <= EMIT_GROUP) {
		emit(e, place);
		emit_cases(e, 0, nr);
		return;
	}
	for (__u32 first = 0; first < nr; first += EMIT_GROUP) {
		emit(e,
		     "UBLKPOL_GLOBAL int policy_place_%u(__u32 target, "
		     "struct ublkpol_piece *piece ublkpol_nonnull)\n",
		     first / EMIT_GROUP);
		emit_cases(e, first, first + EMIT_GROUP);
		emit(e, "\n");
	}
	emit(e, place);
	emit(e, "{\n\tswitch (target / %u) {\n", EMIT_GROUP);
	for (__u32 i = 0; i * EMIT_GROUP < nr; i++)
		emit(e, "\tcase %u:\n\t\treturn policy_place_%u(target, piece);\n", i, i);
	emit(e, "\tdefault:\n\t\treturn UBLKPOL_UNMATCHED;\n\t}\n}\n");
}

/* --- the frame --- */

static const struct {
	const char *line;
	void (*write)(struct emit *e);
} emit_parts[] = {
	{ "@COUNTS@\n", emit_counts },	       { "@SLOTS@\n", emit_slots },
	{ "@TARGETS@\n", emit_targets },       { "@PLACE@\n", emit_place },
	{ "@CONDITIONS@\n", emit_conditions }, { "@MODIFIERS@\n", emit_modifiers },
	{ "@FLUSH@\n", emit_flush },	       { "@COMPLETE@\n", emit_complete },
	{ "@IMAGE@\n", emit_image },
};

static bool emit_part(struct emit *e, const char *line, size_t length)
{
	for (size_t i = 0; i < sizeof(emit_parts) / sizeof(emit_parts[0]); i++) {
		if (length == strlen(emit_parts[i].line) &&
		    !strncmp(line, emit_parts[i].line, length)) {
			emit_parts[i].write(e);
			return true;
		}
	}
	return false;
}

/* An ordinary line of the frame; @SOURCE@ in it is the name of the policy file */
static void emit_frame_line(struct emit *e, const char *line, size_t length)
{
	static const char source[] = "@SOURCE@";

	while (length) {
		if (length >= strlen(source) && !strncmp(line, source, strlen(source))) {
			emit_comment(e, emit_text(e, e->image->header->source));
			line += strlen(source);
			length -= strlen(source);
			continue;
		}
		emit_char(e, *line++);
		length--;
	}
}

void emit_program(FILE *out, const struct policy_image *image, const struct plan *plan,
		  const char *policy_file, const char *program_file, const char *image_file)
{
	struct emit e = {
		.out = out,
		.line = 1,
		.image = image,
		.plan = plan,
		.policy_file = policy_file,
		.program_file = program_file,
		.image_file = image_file,
	};
	const char *text = template_policy.text;

	while (text < template_policy.end) {
		const char *newline = memchr(text, '\n', template_policy.end - text);
		size_t length = newline + 1 - text;

		if (!emit_part(&e, text, length))
			emit_frame_line(&e, text, length);
		text += length;
	}
}
