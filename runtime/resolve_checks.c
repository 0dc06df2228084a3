// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolve_internal.h"
#include "resolve_place.h"

#define CHECKS_MAX_REPORTS 8 /* of one check: a wrong policy is wrong everywhere */
#define CHECKS_MAX_STEPS   (1U << 20) /* chunks of hashes that are compared */

static const char *checks_backend_name(const struct resolve *r, __u32 backend)
{
	return r->image->strings + r->image->backends[backend].name;
}

static const char *checks_where(const struct resolve *r, __u32 rule,
				char text[POLICY_IMAGE_WHERE_SIZE])
{
	return policy_image_where(r->image, &r->image->rules[rule], text);
}

/* --- bounds: nothing reaches beyond the end of its backend --- */

static int checks_bounds(struct resolve *r, const struct place_extents *extents)
{
	char size[RESOLVE_TEXT_SIZE], end[RESOLVE_TEXT_SIZE];
	bool *reported;

	if (!r->input->backend_sectors)
		return 0;
	reported = calloc(r->image->header->nr_rules + 1ULL, sizeof(*reported));
	if (!reported)
		return -ENOMEM;

	for (size_t i = 0; i < extents->nr; i++) {
		const struct place_extent *extent = &extents->list[i];
		__u64 available = r->input->backend_sectors[extent->backend];

		/* A leg of a stripe that is shorter than a round may get nothing */
		if (extent->first >= extent->last || extent->last <= available ||
		    reported[extent->rule])
			continue;
		reported[extent->rule] = true;
		resolve_report(r, UBLKPOL_CHECK_OVERCOMMIT, extent->rule, 0, NULL,
			       "the rule needs backend '%s' up to %s, but it holds only %s",
			       checks_backend_name(r, extent->backend),
			       resolve_print_lba(r, end, extent->last),
			       resolve_print_size(size, available));
	}
	free(reported);
	return 0;
}

/* --- coherence: reads go where writes went --- */

/* One pair of outcomes of an LBA */
struct checks_pair {
	const struct resolve_outcome *read;
	const struct resolve_outcome *write;
};

static void checks_name_backends(const struct resolve *r, __u64 backends, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (__u32 b = 0; b < r->image->header->nr_backends; b++) {
		if (!(backends & 1ULL << b) || used >= size)
			continue;
		used += (size_t)snprintf(text + used, size - used, "%s'%s'", used ? " and " : "",
					 checks_backend_name(r, b));
	}
}

/* If the choice depends on more than the LBA, a mirror is what is meant */
static const char *checks_coherence_hint(const struct resolve *r, const struct checks_pair *pair,
					 __u64 from, __u64 to, char *text, size_t size)
{
	static const char *const plain = "a read may go only where every write of that LBA goes";
	size_t used;

	if (!pair->read->is_conditional && !pair->write->is_conditional)
		return plain;
	/* Two places on one backend are no mirror */
	if (__builtin_popcountll(from | to) < 2)
		return plain;
	used = (size_t)snprintf(text, size, "%s: 'write -> mirror {", plain);
	for (__u32 b = 0; b < r->image->header->nr_backends && used < size; b++) {
		if ((from | to) & 1ULL << b)
			used += (size_t)snprintf(text + used, size - used, " %s",
						 checks_backend_name(r, b));
	}
	if (used < size)
		snprintf(text + used, size - used, " }' writes to all of them");
	return text;
}

static void checks_report_incoherence(struct resolve *r, const struct checks_pair *pair,
				      const struct place *from, const struct place *to, __u64 lba)
{
	char at[RESOLVE_TEXT_SIZE], read_at[RESOLVE_TEXT_SIZE], write_at[RESOLVE_TEXT_SIZE];
	char where[POLICY_IMAGE_WHERE_SIZE];
	const char *may =
		pair->read->is_conditional || pair->write->is_conditional ? "may be" : "is";
	char hint[512], read_names[128], write_names[128];
	const char *shown =
		checks_coherence_hint(r, pair, from->backends, to->backends, hint, sizeof(hint));

	resolve_print_lba(r, at, lba);
	checks_name_backends(r, from->backends, read_names, sizeof(read_names));
	checks_name_backends(r, to->backends, write_names, sizeof(write_names));
	if (from->backends & ~to->backends)
		resolve_report_pair(r, UBLKPOL_CHECK_COHERENCE, pair->read->rule, 0,
				    pair->write->rule, shown,
				    "LBA %s %s read from %s but written to %s (%s)", at, may,
				    read_names, write_names,
				    checks_where(r, pair->write->rule, where));
	else
		resolve_report_pair(r, UBLKPOL_CHECK_COHERENCE, pair->read->rule, 0,
				    pair->write->rule, shown,
				    "LBA %s %s read from %s at %s but written at %s (%s)", at, may,
				    read_names, resolve_print_lba(r, read_at, from->sector),
				    resolve_print_lba(r, write_at, to->sector),
				    checks_where(r, pair->write->rule, where));
}

static void checks_report_unknown(struct resolve *r, const struct checks_pair *pair)
{
	char where[POLICY_IMAGE_WHERE_SIZE];

	resolve_report_pair(r, UBLKPOL_CHECK_COHERENCE, pair->read->rule, 0, pair->write->rule,
			    "read from a hash of the same chunk and weights",
			    "after %u chunks it is not known whether reads find what was written "
			    "(%s)",
			    CHECKS_MAX_STEPS, checks_where(r, pair->write->rule, where));
}

/* Do two hashes of the same chunk pick the same leg for every chunk? */
static bool checks_same_shares(const struct resolve *r, const struct ublkpol_target *x,
			       const struct ublkpol_target *y)
{
	for (__u32 i = 0, k = 0; i < x->nr_legs; place_next_shares(x, y, &i, &k)) {
		if (r->image->legs[x->first_leg + i] != r->image->legs[y->first_leg + k])
			return false;
	}
	return true;
}

/* Do reads find what was written wherever it is? False: that depends on the LBA, or they do not */
static bool checks_always_agree(const struct resolve *r, const struct checks_pair *pair)
{
	const struct ublkpol_target *from = &r->image->targets[pair->read->target];
	const struct ublkpol_target *to = &r->image->targets[pair->write->target];

	if (pair->read->delta != pair->write->delta)
		return false;
	if (from == to)
		return true;
	if (from->action != UBLKPOL_ACTION_HASH)
		return false;
	if (to->action == UBLKPOL_ACTION_HASH)
		return from->chunk == to->chunk && checks_same_shares(r, from, to);
	return place_keeps_offsets(r->image, pair->write->target) &&
	       !(policy_image_legs(r->image, from) & ~policy_image_legs(r->image, to));
}

/*
 * Compares both from @lba up to @end; reports the first difference. One step for
 * each pair is free, what it needs beyond is taken from @left.
 */
static bool checks_compare_places(struct resolve *r, const struct checks_pair *pair, __u64 lba,
				  __u64 end, unsigned int *left)
{
	if (!place_is_known(r->image, pair->read) || !place_is_known(r->image, pair->write) ||
	    checks_always_agree(r, pair))
		return false;
	while (lba < end) {
		struct place from = place_of(r->image, pair->read, lba);
		struct place to = place_of(r->image, pair->write, lba);
		__u64 run = from.run < to.run ? from.run : to.run;

		if (from.backends & ~to.backends || from.sector != to.sector) {
			checks_report_incoherence(r, pair, &from, &to, lba);
			return true;
		}
		/* Nothing but the LBA decides, and no chunk ends: so it goes on */
		lba = run < end - lba ? lba + run : end;
		if (lba < end && !*left) {
			checks_report_unknown(r, pair);
			return true;
		}
		*left -= lba < end;
	}
	return false;
}

static __u32 checks_action(const struct resolve *r, const struct resolve_outcome *outcome)
{
	return outcome->target == UBLKPOL_NO_TARGET ? (__u32)UBLKPOL_ACTION_ERROR
						    : r->image->targets[outcome->target].action;
}

/* Does the outcome throw away what the reader would miss? A discard is no promise */
static bool checks_loses(const struct resolve *r, const struct resolve_outcome *write)
{
	__u32 action = checks_action(r, write);

	return (action == UBLKPOL_ACTION_ZERO || action == UBLKPOL_ACTION_DROP) &&
	       r->image->rules[write->rule].ops & (UBLKPOL_OP_WRITE | UBLKPOL_OP_WRITE_ZEROES);
}

static bool checks_compare_outcomes(struct resolve *r, const struct checks_pair *pair, __u64 lba,
				    __u64 end, unsigned int *left)
{
	bool is_read = resolve_is_mapped(r->image, pair->read);
	char at[RESOLVE_TEXT_SIZE], where[POLICY_IMAGE_WHERE_SIZE];

	if (is_read && resolve_is_mapped(r->image, pair->write))
		return checks_compare_places(r, pair, lba, end, left);
	resolve_print_lba(r, at, lba);
	if (is_read && checks_loses(r, pair->write)) {
		resolve_report_pair(
			r, UBLKPOL_CHECK_COHERENCE, pair->read->rule, 0, pair->write->rule,
			"a read may go only where every write of that LBA goes",
			"LBA %s is read from a backend, but writes are thrown away (%s)", at,
			checks_where(r, pair->write->rule, where));
		return true;
	}
	if (checks_action(r, pair->read) == UBLKPOL_ACTION_ZERO &&
	    resolve_is_mapped(r->image, pair->write)) {
		resolve_report_pair(r, UBLKPOL_CHECK_COHERENCE, pair->read->rule, 0,
				    pair->write->rule, "let writes fail or go to 'zero' too",
				    "LBA %s reads as zeroes, but is written to a backend (%s)", at,
				    checks_where(r, pair->write->rule, where));
		return true;
	}
	return false;
}

/* Pairs of rules that were reported: what is wrong at one LBA is wrong at others */
struct checks_seen {
	__u32 rules[CHECKS_MAX_REPORTS][2];
	unsigned int nr;
};

static bool checks_is_seen(const struct checks_seen *seen, __u32 a, __u32 b)
{
	for (unsigned int i = 0; i < seen->nr; i++) {
		if (seen->rules[i][0] == a && seen->rules[i][1] == b)
			return true;
	}
	return seen->nr == CHECKS_MAX_REPORTS;
}

static bool checks_is_new(struct checks_seen *seen, __u32 a, __u32 b)
{
	if (checks_is_seen(seen, a, b))
		return false;
	seen->rules[seen->nr][0] = a;
	seen->rules[seen->nr++][1] = b;
	return true;
}

static void checks_compare_segments(struct resolve *r, struct checks_seen *seen,
				    const struct ublkpol_segment *read,
				    const struct ublkpol_segment *write, __u64 lba, __u64 end,
				    unsigned int *left)
{
	for (unsigned int i = 0; i < resolve_nr_outcomes(read); i++) {
		struct resolve_outcome from = resolve_outcome(r->layout, read, i);

		for (unsigned int k = 0; k < resolve_nr_outcomes(write); k++) {
			struct resolve_outcome to = resolve_outcome(r->layout, write, k);
			const struct checks_pair pair = { &from, &to };

			if (!checks_is_seen(seen, from.rule, to.rule) &&
			    checks_compare_outcomes(r, &pair, lba, end, left)) {
				checks_is_new(seen, from.rule, to.rule);
				return;
			}
		}
	}
}

/*
 * Which legs of a mirror are good is known for the mirror: writes that pass it
 * by, or that go to another one, would not keep it true.
 */
static void checks_mirror_is_alone(struct resolve *r, struct checks_seen *seen,
				   const struct ublkpol_segment *write)
{
	const struct ublkpol_target *first = NULL;
	struct resolve_outcome outcome, before = { .rule = UBLKPOL_NO_RULE };
	char at[RESOLVE_TEXT_SIZE], where[POLICY_IMAGE_WHERE_SIZE];

	if (!write->retry_mirror)
		return;
	for (unsigned int i = 0; i < resolve_nr_outcomes(write); i++) {
		const struct ublkpol_target *target;

		outcome = resolve_outcome(r->layout, write, i);
		if (!resolve_is_mapped(r->image, &outcome))
			continue;
		target = &r->image->targets[outcome.target];
		if (first &&
		    (target->action != first->action ||
		     (target->action == UBLKPOL_ACTION_MIRROR &&
		      (target->mirror != first->mirror || outcome.delta != before.delta)))) {
			if (!checks_is_new(seen, outcome.rule, before.rule))
				return;
			resolve_report_pair(
				r, UBLKPOL_CHECK_COHERENCE, outcome.rule, 0, before.rule,
				"let all writes of an LBA go to mirrors of the same backends",
				"LBA %s may be written to a mirror and past it (%s)",
				resolve_print_lba(r, at, write->start),
				checks_where(r, before.rule, where));
			return;
		}
		first = target;
		before = outcome;
	}
}

static void checks_coherence(struct resolve *r)
{
	const struct ublkpol_segment *read = resolve_part(r->layout, UBLKPOL_DIR_READ);
	const struct ublkpol_segment *write = resolve_part(r->layout, UBLKPOL_DIR_WRITE);
	unsigned int left = CHECKS_MAX_STEPS;
	struct checks_seen seen = { .nr = 0 };
	__u64 lba = 0;

	while (lba < r->layout->dev_sectors && seen.nr < CHECKS_MAX_REPORTS) {
		__u64 end = read->end < write->end ? read->end : write->end;

		checks_compare_segments(r, &seen, read, write, lba, end, &left);
		if (lba == write->start)
			checks_mirror_is_alone(r, &seen, write);
		lba = end;
		read += read->end == end;
		write += write->end == end;
	}
}

/* --- gaps and rules that are never reached --- */

/* The first segment that no rule matches at all, or not always */
static const struct ublkpol_segment *checks_first_gap(const struct resolve_layout *layout,
						      enum ublkpol_direction dir,
						      bool is_conditional)
{
	const struct ublkpol_segment *part = resolve_part(layout, dir);

	for (__u32 i = 0; i < layout->nr_segments[dir]; i++) {
		if (part[i].rule == UBLKPOL_NO_RULE && !part[i].mask == !is_conditional)
			return &part[i];
	}
	return NULL;
}

static void checks_report_gap(struct resolve *r, const char *what,
			      const struct ublkpol_segment *gap)
{
	static const char *const hint =
		"'default -> ...' serves the rest; 'default -> error EIO' says it is meant";
	char start[RESOLVE_TEXT_SIZE], end[RESOLVE_TEXT_SIZE];

	resolve_print_lba(r, start, gap->start);
	if (gap->end == r->layout->dev_sectors)
		strcpy(end, "end");
	else
		resolve_print_lba(r, end, gap->end);
	if (gap->mask)
		resolve_report(r, UBLKPOL_CHECK_MISSING_DEFAULT,
			       resolve_outcome(r->layout, gap, 0).rule, 0, hint,
			       "%s of LBA %s-%s that meet no rule's condition fail with EIO", what,
			       start, end);
	else
		resolve_report(r, UBLKPOL_CHECK_GAP, RESOLVE_NO_RULE, 0, hint,
			       "no rule matches %s of LBA %s-%s: they fail with EIO", what, start,
			       end);
}

static void checks_gaps(struct resolve *r, bool is_conditional)
{
	const struct ublkpol_segment *read =
		checks_first_gap(r->layout, UBLKPOL_DIR_READ, is_conditional);
	const struct ublkpol_segment *write =
		checks_first_gap(r->layout, UBLKPOL_DIR_WRITE, is_conditional);

	if (read && write && read->start == write->start && read->end == write->end) {
		checks_report_gap(r, "reads and writes", read);
		return;
	}
	if (read)
		checks_report_gap(r, "reads", read);
	if (write)
		checks_report_gap(r, "writes", write);
}

/* Such as "line 3, line 7 and common.ublkpol:2" */
static void checks_list_rules(const struct resolve *r, const __u32 *rules, unsigned int nr,
			      char *text, size_t size)
{
	char where[POLICY_IMAGE_WHERE_SIZE];
	size_t used = 0;

	for (unsigned int i = 0; i < nr && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 !i	      ? ""
					 : i + 1 < nr ? ", "
						      : " and ",
					 checks_where(r, rules[i], where));
}

static void checks_report_shadowed(struct resolve *r, __u32 rule, __u32 first)
{
	__u32 takers[RESOLVE_MAX_TAKERS];
	unsigned int nr = resolve_takers(r, rule, takers);
	char list[RESOLVE_MAX_TAKERS * POLICY_IMAGE_WHERE_SIZE];

	if (nr <= 1 && first == UBLKPOL_NO_RULE) {
		resolve_report(r, UBLKPOL_CHECK_SHADOWED, rule, 0, NULL,
			       "no request reaches this rule: its LBA conditions hold for no LBA");
		return;
	}
	if (nr <= 1) {
		takers[0] = first;
		nr = 1;
	}
	checks_list_rules(r, takers, nr, list, sizeof(list));
	resolve_report_rules(r, UBLKPOL_CHECK_SHADOWED, rule, takers, nr, NULL,
			     "no request reaches this rule: the rule%s of %s%s match%s first",
			     nr > 1 ? "s" : "", list, nr == RESOLVE_MAX_TAKERS ? " ..." : "",
			     nr > 1 ? "" : "es");
}

/* Which rules get some LBA; of the others, who is in their way becomes their taker */
static void checks_reach(struct resolve *r, enum ublkpol_direction dir, bool *reached)
{
	const struct ublkpol_segment *part = resolve_part(r->layout, dir);

	for (__u32 i = 0; i < r->layout->nr_segments[dir]; i++) {
		for (unsigned int k = 0; k < resolve_nr_outcomes(&part[i]); k++) {
			__u32 rule = resolve_outcome(r->layout, &part[i], k).rule;
			__u32 taker = resolve_taker(r, dir, &part[i], k);

			if (rule == UBLKPOL_NO_RULE)
				continue;
			if (taker == UBLKPOL_NO_RULE)
				reached[rule] = true;
			else if (r->takers[rule] == UBLKPOL_NO_RULE)
				r->takers[rule] = taker;
		}
	}
}

/* Flushes follow rules of their own */
static void checks_reach_flushes(struct resolve *r, bool *reached)
{
	__u32 always = UBLKPOL_NO_RULE;

	for (__u32 i = 0; i < r->image->header->nr_rules; i++) {
		const struct ublkpol_rule *rule = &r->image->rules[i];
		__u32 taker = always;

		if (rule->flush == UBLKPOL_NEVER)
			continue;
		if (taker == UBLKPOL_NO_RULE && r->input->flush_takers)
			taker = r->input->flush_takers[i];
		if (taker == UBLKPOL_NO_RULE)
			reached[i] = true;
		else if (r->takers[i] == UBLKPOL_NO_RULE)
			r->takers[i] = taker;
		if (rule->flush == UBLKPOL_ALWAYS && always == UBLKPOL_NO_RULE)
			always = i;
	}
}

static int checks_unreachable(struct resolve *r)
{
	__u32 nr_rules = r->image->header->nr_rules;
	bool *reached = calloc(nr_rules + 1ULL, sizeof(*reached));
	int ret;

	if (!reached)
		return -ENOMEM;
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		checks_reach(r, dir, reached);
	checks_reach_flushes(r, reached);
	for (__u32 i = 0; i < nr_rules; i++) {
		if (!reached[i])
			checks_report_shadowed(r, i, r->takers[i]);
	}
	ret = resolve_check_overlaps(r, reached);
	free(reached);
	return ret;
}

int resolve_check_layout(struct resolve *r)
{
	struct place_extents extents = { 0 };
	int ret;

	checks_coherence(r);
	ret = place_extents_collect(r, &extents);
	if (!ret)
		ret = checks_bounds(r, &extents);
	/* Reads from elsewhere are an alias too, but that would not explain them */
	if (!ret && !r->nr_errors)
		resolve_check_alias(r, &extents);
	free(extents.list);
	if (ret)
		return ret;

	checks_gaps(r, false);
	checks_gaps(r, true);
	return checks_unreachable(r);
}
