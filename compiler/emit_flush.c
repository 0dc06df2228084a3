// SPDX-License-Identifier: GPL-2.0-only
/* Flushes, which have no LBA, and what becomes of those that fail on a mirror's leg */
#include <string.h>

#include "emit_internal.h"

/* Backends that rules write to, through mirrors or not */
static __u64 emit_written(const struct policy_image *image, bool through_mirrors)
{
	__u64 backends = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_target *target = policy_image_target(image, i);

		if (image->rules[i].ops & UBLKPOL_WRITE_OPS &&
		    (target->action == UBLKPOL_ACTION_MIRROR) == through_mirrors)
			backends |= policy_image_legs(image, target);
	}
	return backends;
}

static void emit_fsyncs(struct emit *e, __u64 backends, const char *indent)
{
	const char *before = "";

	if (!backends)
		return;
	emit(e, "%sif (ublkpol_flush_backends(ctx, ", indent);
	for (__u32 i = 0; i < e->image->header->nr_backends; i++) {
		if (!(backends & 1ULL << i))
			continue;
		emit(e, "%s1ULL << ", before);
		emit_slot(e, i);
		before = " | ";
	}
	emit(e, "))\n%s\treturn -EIO;\n", indent);
}

static void emit_flush_action(struct emit *e, const struct plan_rule *in, const char *indent)
{
	const struct ublkpol_rule *rule = &e->image->rules[in->rule->index];
	const struct ublkpol_target *target = &e->image->targets[rule->target];

	emit(e, "%sublkpol_count(%u, UBLKPOL_COUNT_FLUSH, 1, 0);\n", indent, in->rule->index);
	if (rule->modifiers)
		emit(e, "%spolicy_modify(rq, %u, %u, 1, 0);\n", indent, rule->modifiers,
		     in->rule->index);
	if (target->action == UBLKPOL_ACTION_ERROR) {
		emit(e, "%sreturn -%s;\n", indent, strerrorname_np(target->error));
		return;
	}
	if (target->action == UBLKPOL_ACTION_USER) {
		emit(e, "%sreturn UBLK_BPF_REDIRECT;\n", indent);
		return;
	}
	emit_fsyncs(e, policy_image_legs(e->image, target), indent);
	emit(e, "%sreturn ublkpol_finish(ctx, rq);\n", indent);
}

/* The condition functions of rules for flushes that are not always in force */
static void emit_flush_tests(struct emit *e)
{
	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		const struct plan_rule *rule = &e->plan->rules[i];

		if (rule->flush->kind == TEST_ALWAYS)
			break;
		if (rule->flush->kind == TEST_NEVER)
			continue;
		emit_policy_line(e, &e->image->rules[i]);
		emit(e, "UBLKPOL_FLUSH_CONDITION(flush_%u) { return ", i);
		emit_test(e, rule->flush);
		emit(e, "; }\n");
		emit_program_line(e);
	}
}

static void emit_flush_if(struct emit *e, const struct plan_rule *rule)
{
	__u32 index = rule->rule->index;

	emit(e, "\tdraw = %s;\n", rule->rule->has_chance ? "ublkpol_random()" : "0");
	if (!test_has(rule->flush, AST_CONDITION_EVERY)) {
		emit(e, "\tif (flush_%u(rq, draw, 0)) {\n", index);
		return;
	}
	emit(e, "\tif (flush_%u(rq, draw, 0) == flush_%u(rq, draw, 1) ? flush_%u(rq, draw, 0)\n",
	     index, index, index);
	emit(e, "\t    : flush_%u(rq, draw, ublkpol_tick(%u, ", index, index);
	emit_value(e, &rule->rule->every->value);
	emit(e, "))) {\n");
}

/* Rules with a condition, in order; returns the rule that always matches, or NULL */
static const struct plan_rule *emit_flush_rules(struct emit *e)
{
	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		const struct plan_rule *rule = &e->plan->rules[i];

		if (rule->flush->kind == TEST_ALWAYS)
			return rule;
		if (rule->flush->kind == TEST_NEVER)
			continue;
		emit_flush_if(e, rule);
		emit_flush_action(e, rule, "\t\t");
		emit(e, "\t}\n");
	}
	return NULL;
}

static bool emit_has_flush_test(const struct emit *e)
{
	for (__u32 i = 0; i < e->image->header->nr_rules; i++) {
		if (e->plan->rules[i].flush->kind != TEST_NEVER)
			return e->plan->rules[i].flush->kind != TEST_ALWAYS;
	}
	return false;
}

void emit_flush(struct emit *e)
{
	const struct plan_rule *last;

	emit_flush_tests(e);
	emit(e, "UBLKPOL_PART int policy_flush(void *ctx ublkpol_ctx,\n"
		"\t\tstruct ublkpol_request *rq ublkpol_nonnull)\n{\n");
	if (emit_has_flush_test(e))
		emit(e, "\t__u64 draw;\n\n");
	emit(e, "\t(void)ctx;\n\t(void)rq;\n");
	last = emit_flush_rules(e);
	if (last) {
		emit_flush_action(e, last, "\t");
	} else {
		emit(e, "\t/* every backend that holds data */\n");
		emit_fsyncs(e, emit_written(e->image, false) | emit_written(e->image, true), "\t");
		emit(e, "\treturn ublkpol_finish(ctx, rq);\n");
	}
	emit(e, "}\n");
}

/* --- mirrors --- */

/* Every rule that writes to this mirror lets it degrade; the others have no say */
static bool emit_may_degrade(const struct policy_image *image, __u32 mirror)
{
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		const struct ublkpol_target *target = policy_image_target(image, i);

		if (image->rules[i].ops & UBLKPOL_WRITE_OPS &&
		    target->action == UBLKPOL_ACTION_MIRROR && target->mirror == mirror &&
		    !target->degrade)
			return false;
	}
	return true;
}

void emit_mirrors(struct emit *e)
{
	__u64 legs = 0, degrading = 0;

	if (!e->image->header->nr_mirrors)
		return;
	for (__u32 i = 0; i < e->image->header->nr_targets; i++) {
		if (e->image->targets[i].action == UBLKPOL_ACTION_MIRROR)
			legs |= policy_image_legs(e->image, &e->image->targets[i]);
	}
	for (__u32 i = 0; i < e->image->header->nr_mirrors; i++)
		degrading |= (__u64)emit_may_degrade(e->image, i) << i;
	emit(e, "/* Bit b: backend b holds more than what mirrors write */\n");
	emit(e, "#define UBLKPOL_UNMIRRORED\t%#llxULL\n",
	     (unsigned long long)(emit_written(e->image, false) | ~legs));
	emit(e, "/* Bit m: a write to mirror m is done when one leg took it */\n");
	emit(e, "#define UBLKPOL_DEGRADING\t%#llxULL\n", (unsigned long long)degrading);
}

void emit_complete(struct emit *e)
{
	if (e->image->header->nr_mirrors)
		emit(e, "#include \"ublkpol_complete.h\"\n");
}
