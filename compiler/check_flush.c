// SPDX-License-Identifier: GPL-2.0-only
/* Does a flush reach what was written? */
#include "policy_check.h"

/* An error is no lie, and a handler flushes what it must */
static bool check_flush_is_honest(const struct policy_image *image, __u32 rule)
{
	__u32 action = policy_image_target(image, rule)->action;

	return action == UBLKPOL_ACTION_ERROR || action == UBLKPOL_ACTION_USER;
}

static const char *check_flush_names(const struct policy_image *image, __u64 backends,
				     struct arena *arena)
{
	const char *names = "";

	for (__u32 b = 0; b < image->header->nr_backends; b++) {
		if (backends & 1ULL << b)
			names = arena_printf(arena, "%s%s'%s'", names, *names ? " and " : "",
					     image->strings + image->backends[b].name);
	}
	return names;
}

static void check_flush_report(const struct policy_image *image, const struct plan *plan,
			       __u32 rule, __u64 missed, struct diag *diag)
{
	char where[POLICY_IMAGE_WHERE_SIZE];
	__u32 writer = 0;

	while (!(policy_image_written(image, writer) & missed))
		writer++;
	diag_check(diag, UBLKPOL_CHECK_UNFLUSHED, plan->rules[rule].rule->location,
		   "without a rule for flushes, they reach all that is written",
		   "a flush does not reach %s, which may hold what was written (%s)",
		   check_flush_names(image, missed, diag->arena),
		   policy_image_where(image, &image->rules[writer], where));
	diag_also(diag, plan->rules[writer].rule->location, "");
}

void check_flushes(const struct policy_image *image, const struct plan *plan, struct diag *diag)
{
	__u64 written = 0;

	for (__u32 i = 0; i < image->header->nr_rules; i++)
		written |= policy_image_written(image, i);
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		__u64 missed = written & ~policy_image_rule_legs(image, i);

		if (image->rules[i].flush == UBLKPOL_NEVER)
			continue;
		if (missed && !check_flush_is_honest(image, i))
			check_flush_report(image, plan, i, missed, diag);
		/* No flush comes to those behind it */
		if (image->rules[i].flush == UBLKPOL_ALWAYS)
			break;
	}
}
