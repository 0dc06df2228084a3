// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "emit.h"
#include "templates.h"

#define EMIT_MAX_SHOWN 8 /* rules in the comment of a target */

/*
 * The program is bpf_templates/policy.bpf.c.in, where each line "@NAME@" gives
 * way to what the function of that name writes.
 */
struct emit {
	FILE *out;
	int line; /* next one to write, from 1 */
	const struct policy_image *image;
	const char *policy_file;
	const char *program_file;
};

static void emit_char(struct emit *e, char c)
{
	putc(c, e->out);
	e->line += c == '\n';
}

static void __attribute__((format(printf, 2, 3))) emit(struct emit *e, const char *fmt, ...)
{
	va_list args;

	for (const char *p = fmt; *p; p++)
		e->line += *p == '\n';
	va_start(args, fmt);
	vfprintf(e->out, fmt, args);
	va_end(args);
}

static const char *emit_text(const struct emit *e, __u32 string)
{
	return e->image->strings + string;
}

/* Inside a C string; octal digits cannot run into what follows */
static void emit_escaped(struct emit *e, const char *text)
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
static void emit_comment(struct emit *e, const char *text)
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

static void emit_counts(struct emit *e)
{
	emit(e, "#define UBLKPOL_NR_RULES\t%u\n", e->image->header->nr_rules);
	emit(e, "#define UBLKPOL_NR_BACKENDS\t%u\n", e->image->header->nr_backends);
	emit(e, "#define UBLKPOL_NR_LEGS\t\t%u\n", e->image->header->nr_legs);
}

static void emit_slot(struct emit *e, __u32 backend)
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

static void emit_errno(struct emit *e, const struct ublkpol_rule *rule)
{
	emit(e, "-%s", strerrorname_np(rule->error));
}

static void emit_action(struct emit *e, const struct ublkpol_rule *rule)
{
	switch (rule->action) {
	case UBLKPOL_ACTION_BACKEND:
		emit(e, "return UBLKPOL_TO_BACKEND(piece, ");
		emit_slot(e, e->image->legs[rule->first_leg]);
		emit(e, ");");
		break;
	case UBLKPOL_ACTION_STRIPE:
		emit(e, "return UBLKPOL_TO_STRIPE(piece, %u, %u, %u);", rule->chunk / 512,
		     rule->first_leg, rule->nr_legs);
		break;
	case UBLKPOL_ACTION_ERROR:
		emit(e, "(void)piece; return ");
		emit_errno(e, rule);
		emit(e, ";");
		break;
	}
}

/* The first rule of target @target; NULL behind the last target */
static const struct ublkpol_rule *emit_target_rule(const struct emit *e, __u32 target)
{
	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		if (e->image->rules[i].target == target)
			return &e->image->rules[i];
	}
	return NULL;
}

static void emit_target_comment(struct emit *e, __u32 target)
{
	const char *before = "\n/* ";
	unsigned int shown = 0;

	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &e->image->rules[i];

		if (rule->target != target)
			continue;
		emit(e, "%s%u: ", before, rule->line);
		if (++shown > EMIT_MAX_SHOWN) {
			emit(e, "and more");
			break;
		}
		emit_comment(e, emit_text(e, rule->text));
		before = "\n * ";
	}
	emit(e, " */\n");
}

/*
 * One line of code, under the policy's own line number: that is the line which
 * the verifier's log then quotes.
 */
static void emit_target(struct emit *e, const struct ublkpol_rule *rule)
{
	emit_target_comment(e, rule->target);
	emit_line_directive(e, rule->line, e->policy_file);
	emit(e, "static __always_inline int target_%u(struct ublkpol_piece *piece) { ",
	     rule->target);
	emit_action(e, rule);
	emit(e, " }\n");
	emit_line_directive(e, e->line + 1, e->program_file);
}

static void emit_targets(struct emit *e)
{
	const struct ublkpol_rule *rule;

	for (__u32 i = 0; (rule = emit_target_rule(e, i)); i++)
		emit_target(e, rule);
}

static void emit_cases(struct emit *e)
{
	for (__u32 i = 0; emit_target_rule(e, i); i++)
		emit(e, "\tcase %u:\n\t\treturn target_%u(piece);\n", i, i);
}

/* Bit b: backend b has to be flushed, because a rule says so or data may be there */
static __u64 emit_flush_backends(const struct policy_image *image, const struct ublkpol_rule *only)
{
	__u64 backends = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &image->rules[i];

		if (only ? rule != only : !(rule->ops & UBLKPOL_OP_WRITE))
			continue;
		for (__u32 k = 0; k < rule->nr_legs; k++)
			backends |= 1ULL << image->legs[rule->first_leg + k];
	}
	return backends;
}

static const struct ublkpol_rule *emit_flush_rule(const struct policy_image *image)
{
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		if (image->rules[i].ops & UBLKPOL_OP_FLUSH)
			return &image->rules[i];
	}
	return NULL;
}

static void emit_flush(struct emit *e)
{
	const struct ublkpol_rule *rule = emit_flush_rule(e->image);
	__u64 backends = emit_flush_backends(e->image, rule);

	emit(e, "/* ");
	emit_comment(e, rule ? emit_text(e, rule->text) : "every backend that holds data");
	emit(e, " */\nstatic __always_inline int policy_flush(void *ctx)\n{\n");
	if (rule)
		emit(e, "\tublkpol_count(%u, UBLKPOL_COUNT_FLUSH, 1, 0);\n",
		     (__u32)(rule - e->image->rules));
	if (!backends)
		emit(e, "\t(void)ctx;\n");
	for (__u32 i = 0; i < e->image->header->nr_backends; i++) {
		if (!(backends & 1ULL << i))
			continue;
		emit(e, "\tif (ublkpol_fsync(ctx, ");
		emit_slot(e, i);
		emit(e, "))\n\t\treturn -EIO;\n");
	}
	emit(e, "\treturn ");
	if (rule && rule->action == UBLKPOL_ACTION_ERROR)
		emit_errno(e, rule);
	else
		emit(e, "UBLK_BPF_SUBMIT");
	emit(e, ";\n}\n");
}

/* --- the image --- */

static void emit_image_type(struct emit *e)
{
	const struct ublkpol_header *header = e->image->header;

	emit(e, "struct policy_image {\n");
	emit(e, "\tstruct ublkpol_header header;\n");
	emit(e, "\tstruct ublkpol_backend backends[%u];\n", header->nr_backends);
	emit(e, "\tstruct ublkpol_rule rules[%u];\n", header->nr_rules);
	emit(e, "\tstruct ublkpol_range ranges[%u];\n", header->nr_ranges);
	/* Tables begin at multiples of 8 */
	emit(e, "\t__u32 legs[%u] __attribute__((aligned(8)));\n", header->nr_legs);
	emit(e, "\tchar strings[%u] __attribute__((aligned(8)));\n", header->strings_size);
	emit(e, "};\n\n");
}

static void emit_image_header(struct emit *e)
{
	static const char *const tables[] = { "backends", "rules", "ranges", "legs" };
	const struct ublkpol_header *header = e->image->header;
	const __u32 counts[] = { header->nr_backends, header->nr_rules, header->nr_ranges,
				 header->nr_legs };

	emit(e, "\t.header = {\n");
	emit(e, "\t\t.magic = UBLKPOL_MAGIC,\n");
	emit(e, "\t\t.version = UBLKPOL_VERSION,\n");
	emit(e, "\t\t.image_size = sizeof(struct policy_image),\n");
	emit(e, "\t\t.size = %lluULL,\n", (unsigned long long)header->size);
	emit(e, "\t\t.block = %u,\n", header->block);
	emit(e, "\t\t.source = %u,\n", header->source);
	emit(e, "\t\t.checks = { .off = 0x%x, .errors = 0x%x },\n", header->checks.off,
	     header->checks.errors);
	for (int i = 0; i < 4; i++)
		emit(e, "\t\t.nr_%s = %u, .%s = __builtin_offsetof(struct policy_image, %s),\n",
		     tables[i], counts[i], tables[i], tables[i]);
	emit(e,
	     "\t\t.strings_size = %u, .strings = __builtin_offsetof(struct policy_image, "
	     "strings),\n",
	     header->strings_size);
	emit(e, "\t},\n");
}

static void emit_image_rule(struct emit *e, const struct ublkpol_rule *rule)
{
	emit(e, "\t\t{ .ops = 0x%x, .action = %u, .first_range = %u, .nr_ranges = %u,\n", rule->ops,
	     rule->action, rule->first_range, rule->nr_ranges);
	emit(e, "\t\t  .first_leg = %u, .nr_legs = %u, .chunk = %u, .error = %d,\n",
	     rule->first_leg, rule->nr_legs, rule->chunk, rule->error);
	if (rule->at == UBLKPOL_NO_OFFSET)
		emit(e, "\t\t  .at = UBLKPOL_NO_OFFSET,");
	else
		emit(e, "\t\t  .at = %lluULL,", (unsigned long long)rule->at);
	emit(e, " .line = %u, .is_default = %u,\n", rule->line, rule->is_default);
	emit(e, "\t\t  .label = %u, .text = %u, .target = %u },\n", rule->label, rule->text,
	     rule->target);
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

static void emit_image_tables(struct emit *e)
{
	const struct policy_image *image = e->image;

	emit(e, "\t.backends = {\n");
	for (__u32 i = 0; i < image->header->nr_backends; i++)
		emit(e, "\t\t{ .name = %u, .path = %u, .line = %u },\n", image->backends[i].name,
		     image->backends[i].path, image->backends[i].line);
	emit(e, "\t},\n\t.rules = {\n");
	for (__u32 i = 0; i < image->header->nr_rules; i++)
		emit_image_rule(e, &image->rules[i]);
	emit(e, "\t},\n\t.ranges = {\n");
	for (__u32 i = 0; i < image->header->nr_ranges; i++) {
		emit(e, "\t\t{ ");
		emit_image_bound(e, &image->ranges[i].first);
		emit(e, ", ");
		emit_image_bound(e, &image->ranges[i].last);
		emit(e, " },\n");
	}
	emit(e, "\t},\n\t.legs = {");
	for (__u32 i = 0; i < image->header->nr_legs; i++)
		emit(e, " %u,", image->legs[i]);
	emit(e, " },\n");
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

static void emit_image(struct emit *e)
{
	emit_image_type(e);
	emit(e, "const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {\n");
	emit_image_header(e);
	emit_image_tables(e);
	emit_image_strings(e);
	emit(e, "};\n");
}

/* --- the frame --- */

static const struct {
	const char *line;
	void (*write)(struct emit *e);
} emit_parts[] = {
	{ "@COUNTS@\n", emit_counts }, { "@SLOTS@\n", emit_slots }, { "@TARGETS@\n", emit_targets },
	{ "@CASES@\n", emit_cases },   { "@FLUSH@\n", emit_flush }, { "@IMAGE@\n", emit_image },
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

void emit_program(FILE *out, const struct policy_image *image, const char *policy_file,
		  const char *program_file)
{
	struct emit e = {
		.out = out,
		.line = 1,
		.image = image,
		.policy_file = policy_file,
		.program_file = program_file,
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
