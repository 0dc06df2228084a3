// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "resolve_internal.h"

#define CHECKS_MAX_REPORTS 8 /* of one check: a wrong policy is wrong everywhere */

/* --- where an LBA lies, and what lies on a sector of a backend --- */

struct checks_place {
	__u32 backend;
	__u64 sector;
	__u64 run; /* sectors from here that lie in one piece */
};

static struct checks_place checks_place_of(const struct policy_image *image,
					   const struct ublkpol_segment *segment, __u64 lba)
{
	const struct ublkpol_rule *rule = &image->rules[segment->rule];
	const __u32 *legs = image->legs + rule->first_leg;
	__u64 chunk = rule->chunk / RESOLVE_SECTOR;
	__u64 position = lba + segment->delta;

	if (rule->action == UBLKPOL_ACTION_BACKEND)
		return (struct checks_place){ legs[0], position, segment->end - lba };

	return (struct checks_place){
		.backend = legs[position / chunk % rule->nr_legs],
		.sector = position / chunk / rule->nr_legs * chunk + position % chunk,
		.run = chunk - position % chunk,
	};
}

/* What a segment occupies on one backend: always one stretch */
struct checks_extent {
	__u32 backend;
	__u32 leg;
	__u64 first; /* sectors on the backend */
	__u64 last;
	enum ublkpol_direction dir;
	const struct ublkpol_segment *segment;
};

static __u64 checks_lba_of(const struct policy_image *image, const struct checks_extent *extent,
			   __u64 sector, __u64 *run)
{
	const struct ublkpol_rule *rule = &image->rules[extent->segment->rule];
	__u64 chunk = rule->chunk / RESOLVE_SECTOR;

	if (rule->action == UBLKPOL_ACTION_BACKEND) {
		*run = extent->last - sector;
		return sector - extent->segment->delta;
	}
	*run = chunk - sector % chunk;
	return (sector / chunk * rule->nr_legs + extent->leg) * chunk + sector % chunk -
	       extent->segment->delta;
}

/* Sectors of leg @leg that lie before @position of the stripe */
static __u64 checks_leg_sectors(const struct ublkpol_rule *rule, __u32 leg, __u64 position)
{
	__u64 chunk = rule->chunk / RESOLVE_SECTOR;
	__u64 row = chunk * rule->nr_legs;
	__u64 inside = position % row;
	__u64 before = leg * chunk;

	inside = inside <= before ? 0 : inside - before < chunk ? inside - before : chunk;
	return position / row * chunk + inside;
}

static struct checks_extent checks_extent_of(const struct policy_image *image,
					     const struct ublkpol_segment *segment,
					     enum ublkpol_direction dir, __u32 leg)
{
	const struct ublkpol_rule *rule = &image->rules[segment->rule];
	struct checks_extent extent = {
		.backend = image->legs[rule->first_leg + leg],
		.leg = leg,
		.first = segment->start + segment->delta,
		.last = segment->end + segment->delta,
		.dir = dir,
		.segment = segment,
	};

	if (rule->action == UBLKPOL_ACTION_STRIPE) {
		extent.first = checks_leg_sectors(rule, leg, extent.first);
		extent.last = checks_leg_sectors(rule, leg, extent.last);
	}
	return extent;
}

struct checks_extents {
	struct checks_extent *list;
	size_t nr;
};

static int checks_extents_collect(const struct resolve *r, struct checks_extents *extents)
{
	size_t max = 1;

	for (int pass = 0; pass < 2; pass++) {
		for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++) {
			const struct ublkpol_segment *part = resolve_part(r->layout, dir);

			for (__u32 i = 0; i < r->layout->nr_segments[dir]; i++) {
				__u32 legs = resolve_is_mapped(r->image, part[i].rule)
						     ? r->image->rules[part[i].rule].nr_legs
						     : 0;

				if (!pass)
					max += legs;
				for (__u32 k = 0; pass && k < legs; k++)
					extents->list[extents->nr++] =
						checks_extent_of(r->image, &part[i], dir, k);
			}
		}
		if (!pass) {
			extents->list = calloc(max, sizeof(*extents->list));
			if (!extents->list)
				return -ENOMEM;
		}
	}
	return 0;
}

static const char *checks_backend_name(const struct resolve *r, __u32 backend)
{
	return r->image->strings + r->image->backends[backend].name;
}

static unsigned int checks_line(const struct resolve *r, __u32 rule)
{
	return r->image->rules[rule].line;
}

/* --- bounds: nothing reaches beyond the end of its backend --- */

static int checks_bounds(struct resolve *r, const struct checks_extents *extents)
{
	char size[RESOLVE_TEXT_SIZE], end[RESOLVE_TEXT_SIZE];
	bool *reported;

	if (!r->input->backend_sectors)
		return 0;
	reported = calloc(r->image->header->nr_rules + 1ULL, sizeof(*reported));
	if (!reported)
		return -ENOMEM;

	for (size_t i = 0; i < extents->nr; i++) {
		const struct checks_extent *extent = &extents->list[i];
		__u64 available = r->input->backend_sectors[extent->backend];

		if (extent->last <= available || reported[extent->segment->rule])
			continue;
		reported[extent->segment->rule] = true;
		resolve_report(r, RESOLVE_ERROR, "overcommit", extent->segment->rule, 0, NULL,
			       "the rule needs backend '%s' up to %s, but it holds only %s",
			       checks_backend_name(r, extent->backend),
			       resolve_print_lba(r, end, extent->last),
			       resolve_print_size(size, available));
	}
	free(reported);
	return 0;
}

/* --- alias: no two LBAs on one sector of a backend --- */

static int checks_compare_extents(const void *a, const void *b)
{
	const struct checks_extent *x = a, *y = b;

	if (x->backend != y->backend)
		return x->backend < y->backend ? -1 : 1;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return 0;
}

static bool checks_same_map(const struct policy_image *image, const struct checks_extent *a,
			    const struct checks_extent *b)
{
	const struct ublkpol_rule *x = &image->rules[a->segment->rule];
	const struct ublkpol_rule *y = &image->rules[b->segment->rule];

	return x->action == y->action && x->chunk == y->chunk && x->nr_legs == y->nr_legs &&
	       a->leg == b->leg && a->segment->delta == b->segment->delta;
}

/* The first sector in both extents that is a different LBA in each; false if there is none */
static bool checks_find_alias(const struct policy_image *image, const struct checks_extent *a,
			      const struct checks_extent *b, __u64 *sector)
{
	__u64 last = a->last < b->last ? a->last : b->last;

	if (checks_same_map(image, a, b))
		return false;
	for (*sector = b->first; *sector < last;) {
		__u64 run_a, run_b;

		if (checks_lba_of(image, a, *sector, &run_a) !=
		    checks_lba_of(image, b, *sector, &run_b))
			return true;
		*sector += run_a < run_b ? run_a : run_b;
	}
	return false;
}

/* Rules that alias do so in their reads, their writes and both: once is enough */
struct checks_pairs {
	struct {
		__u32 rules[2];
	} list[CHECKS_MAX_REPORTS];
	unsigned int nr;
};

static bool checks_pairs_add(struct checks_pairs *pairs, __u32 a, __u32 b)
{
	for (unsigned int i = 0; i < pairs->nr; i++) {
		const __u32 *known = pairs->list[i].rules;

		if ((known[0] == a && known[1] == b) || (known[0] == b && known[1] == a))
			return false;
	}
	pairs->list[pairs->nr].rules[0] = a;
	pairs->list[pairs->nr++].rules[1] = b;
	return true;
}

static void checks_report_alias(struct resolve *r, const struct checks_extent *a,
				const struct checks_extent *b, __u64 sector)
{
	char lba_a[RESOLVE_TEXT_SIZE], lba_b[RESOLVE_TEXT_SIZE], at[RESOLVE_TEXT_SIZE];
	__u64 run;

	if (a->segment->rule > b->segment->rule) {
		const struct checks_extent *swap = a;

		a = b;
		b = swap;
	}
	resolve_print_lba(r, lba_a, checks_lba_of(r->image, a, sector, &run));
	resolve_print_lba(r, lba_b, checks_lba_of(r->image, b, sector, &run));
	resolve_report(r, RESOLVE_ERROR, "alias", b->segment->rule, 0,
		       "writing one of them would change the other",
		       "LBA %s and LBA %s (line %u) both lie at %s of backend '%s'", lba_b, lba_a,
		       checks_line(r, a->segment->rule), resolve_print_lba(r, at, sector),
		       checks_backend_name(r, b->backend));
}

static void checks_alias(struct resolve *r, struct checks_extents *extents)
{
	struct checks_pairs pairs = { .nr = 0 };

	qsort(extents->list, extents->nr, sizeof(*extents->list), checks_compare_extents);
	for (size_t i = 0; i < extents->nr; i++) {
		const struct checks_extent *a = &extents->list[i];

		for (size_t j = i + 1; j < extents->nr; j++) {
			const struct checks_extent *b = &extents->list[j];
			__u64 sector;

			if (b->backend != a->backend || b->first >= a->last)
				break;
			/* What nobody writes may be read in many places */
			if (a->dir == UBLKPOL_DIR_READ && b->dir == UBLKPOL_DIR_READ)
				continue;
			if (!checks_find_alias(r->image, a, b, &sector) ||
			    !checks_pairs_add(&pairs, a->segment->rule, b->segment->rule))
				continue;
			checks_report_alias(r, a, b, sector);
			if (pairs.nr == CHECKS_MAX_REPORTS)
				return;
		}
	}
}

/* --- coherence: reads go where writes went --- */

static bool checks_same_target(const struct policy_image *image, const struct ublkpol_segment *a,
			       const struct ublkpol_segment *b)
{
	const struct ublkpol_rule *x = &image->rules[a->rule];
	const struct ublkpol_rule *y = &image->rules[b->rule];

	return x->action == y->action && x->chunk == y->chunk && x->nr_legs == y->nr_legs &&
	       a->delta == b->delta &&
	       !memcmp(image->legs + x->first_leg, image->legs + y->first_leg,
		       x->nr_legs * sizeof(*image->legs));
}

static void checks_report_incoherence(struct resolve *r, const struct ublkpol_segment *read,
				      const struct ublkpol_segment *write, __u64 lba)
{
	static const char *const hint = "a read may go only where every write of that LBA goes";
	struct checks_place from = checks_place_of(r->image, read, lba);
	struct checks_place to = checks_place_of(r->image, write, lba);
	char at[RESOLVE_TEXT_SIZE], read_at[RESOLVE_TEXT_SIZE], write_at[RESOLVE_TEXT_SIZE];

	resolve_print_lba(r, at, lba);
	if (from.backend != to.backend)
		resolve_report(r, RESOLVE_ERROR, "coherence", read->rule, 0, hint,
			       "LBA %s is read from '%s' but written to '%s' (line %u)", at,
			       checks_backend_name(r, from.backend),
			       checks_backend_name(r, to.backend), checks_line(r, write->rule));
	else
		resolve_report(r, RESOLVE_ERROR, "coherence", read->rule, 0, hint,
			       "LBA %s is read from '%s' at %s but written at %s (line %u)", at,
			       checks_backend_name(r, from.backend),
			       resolve_print_lba(r, read_at, from.sector),
			       resolve_print_lba(r, write_at, to.sector),
			       checks_line(r, write->rule));
}

/* Compares @read and @write from @lba up to @end; reports the first difference */
static bool checks_compare_segments(struct resolve *r, const struct ublkpol_segment *read,
				    const struct ublkpol_segment *write, __u64 lba, __u64 end)
{
	if (checks_same_target(r->image, read, write))
		return false;
	while (lba < end) {
		struct checks_place from = checks_place_of(r->image, read, lba);
		struct checks_place to = checks_place_of(r->image, write, lba);

		if (from.backend != to.backend || from.sector != to.sector) {
			checks_report_incoherence(r, read, write, lba);
			return true;
		}
		lba += from.run < to.run ? from.run : to.run;
	}
	return false;
}

static void checks_coherence(struct resolve *r)
{
	const struct ublkpol_segment *read = resolve_part(r->layout, UBLKPOL_DIR_READ);
	const struct ublkpol_segment *write = resolve_part(r->layout, UBLKPOL_DIR_WRITE);
	unsigned int reports = 0;
	__u64 lba = 0;

	while (lba < r->layout->dev_sectors && reports < CHECKS_MAX_REPORTS) {
		__u64 end = read->end < write->end ? read->end : write->end;

		if (resolve_is_mapped(r->image, read->rule) &&
		    resolve_is_mapped(r->image, write->rule))
			reports += checks_compare_segments(r, read, write, lba, end);
		lba = end;
		read += read->end == end;
		write += write->end == end;
	}
}

/* --- gaps and rules that are never reached --- */

static const struct ublkpol_segment *checks_first_gap(const struct resolve_layout *layout,
						      enum ublkpol_direction dir)
{
	const struct ublkpol_segment *part = resolve_part(layout, dir);

	for (__u32 i = 0; i < layout->nr_segments[dir]; i++) {
		if (part[i].rule == UBLKPOL_NO_RULE)
			return &part[i];
	}
	return NULL;
}

static void checks_report_gap(struct resolve *r, const char *what,
			      const struct ublkpol_segment *gap)
{
	char start[RESOLVE_TEXT_SIZE], end[RESOLVE_TEXT_SIZE];

	if (gap->end == r->layout->dev_sectors)
		strcpy(end, "end");
	else
		resolve_print_lba(r, end, gap->end);
	resolve_report(r, RESOLVE_WARNING, "gap", RESOLVE_NO_RULE, 0,
		       "'default -> ...' serves the rest; 'default -> error EIO' says it is meant",
		       "no rule matches %s of LBA %s-%s: they fail with EIO", what,
		       resolve_print_lba(r, start, gap->start), end);
}

static void checks_gaps(struct resolve *r)
{
	const struct ublkpol_segment *read = checks_first_gap(r->layout, UBLKPOL_DIR_READ);
	const struct ublkpol_segment *write = checks_first_gap(r->layout, UBLKPOL_DIR_WRITE);

	if (read && write && read->start == write->start && read->end == write->end) {
		checks_report_gap(r, "reads and writes", read);
		return;
	}
	if (read)
		checks_report_gap(r, "reads", read);
	if (write)
		checks_report_gap(r, "writes", write);
}

static void checks_report_unreachable(struct resolve *r, __u32 rule, __u32 first)
{
	resolve_report(r, RESOLVE_WARNING, "shadowed", rule, 0, NULL,
		       "no request reaches this rule: the rule of line %u matches first",
		       checks_line(r, first));
}

/* The rule that has what @rule would match first */
static __u32 checks_taken_by(const struct resolve *r, const struct ublkpol_rule *rule)
{
	__u64 lba = rule->nr_ranges ? r->layout->ranges[rule->first_range].first : 0;
	enum ublkpol_direction dir =
		rule->ops & UBLKPOL_OP_READ ? UBLKPOL_DIR_READ : UBLKPOL_DIR_WRITE;

	return resolve_find(r->layout, dir, lba)->rule;
}

static int checks_unreachable(struct resolve *r)
{
	const struct policy_image *image = r->image;
	__u32 nr_segments = r->layout->nr_segments[UBLKPOL_DIR_READ] +
			    r->layout->nr_segments[UBLKPOL_DIR_WRITE];
	__u32 flush_rule = UBLKPOL_NO_RULE;
	bool *reached;

	reached = calloc(image->header->nr_rules + 1ULL, sizeof(*reached));
	if (!reached)
		return -ENOMEM;

	for (__u32 i = 0; i < nr_segments; i++) {
		if (r->layout->segments[i].rule != UBLKPOL_NO_RULE)
			reached[r->layout->segments[i].rule] = true;
	}
	for (__u32 i = 0; i < image->header->nr_rules; i++) {
		__u32 ops = image->rules[i].ops;

		if (ops & UBLKPOL_OP_FLUSH && flush_rule == UBLKPOL_NO_RULE)
			flush_rule = i;
		else if (ops == UBLKPOL_OP_FLUSH)
			checks_report_unreachable(r, i, flush_rule);
		else if (!reached[i] && ops & (UBLKPOL_OP_READ | UBLKPOL_OP_WRITE))
			checks_report_unreachable(r, i, checks_taken_by(r, &image->rules[i]));
	}
	free(reached);
	return 0;
}

int resolve_check_layout(struct resolve *r)
{
	struct checks_extents extents = { 0 };
	int ret;

	checks_coherence(r);
	ret = checks_extents_collect(r, &extents);
	if (!ret)
		ret = checks_bounds(r, &extents);
	/* Reads from elsewhere are an alias too, but that would not explain them */
	if (!ret && !r->nr_errors)
		checks_alias(r, &extents);
	free(extents.list);
	if (ret)
		return ret;

	checks_gaps(r);
	return checks_unreachable(r);
}
