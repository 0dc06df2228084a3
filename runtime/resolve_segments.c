// SPDX-License-Identifier: GPL-2.0-only
/* From the rules to the tables that the program searches */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "resolve_internal.h"

#define SEGMENTS_MAX_POSITION (1ULL << 54) /* sectors: files end at 2^63 bytes */
#define SEGMENTS_NO_CHOICE    (~0U)
#define SEGMENTS_KEPT_LISTS   64U /* lists of choices that later segments may share */

static const __u32 segments_dir_ops[UBLKPOL_NR_DIRS] = {
	[UBLKPOL_DIR_READ] = UBLKPOL_OP_READ,
	[UBLKPOL_DIR_WRITE] = UBLKPOL_WRITE_OPS,
};

/* A conditional rule that covers a cell */
struct segments_choice {
	__s64 delta;
	__u32 rule;
	__u32 next; /* of the same cell, or SEGMENTS_NO_CHOICE */
};

struct segments_cell {
	__s64 delta;
	__u64 mask;
	__u32 rule;
	__u32 next; /* a cell at or behind this one that may be free */
	__u32 first_choice, last_choice;
	__u32 mirror; /* what all read or write here: index plus 1, or 0 */
	__u32 degrade; /* as in struct ublkpol_segment */
	bool is_mirrored; /* writes go to that mirror */
	__u32 in_lists; /* of the rule at hand: bit l: the cell is in list l */
};

/*
 * The device is cut at every boundary of a rule, and the rules take the cells
 * in order. segments_cell.next skips over cells that an unconditional rule has
 * taken, so that 100,000 ranges take little more than the time to sort their
 * boundaries.
 */
struct segments {
	struct resolve *r;
	enum ublkpol_direction dir;
	__u64 *bounds; /* sorted; cell c is bounds[c] to bounds[c + 1] */
	size_t nr_bounds, room_bounds;
	struct segments_cell *cells;
	__u32 nr;
	struct segments_choice *choices;
	size_t nr_choices, room_choices;
};

static void segments_free(struct segments *s)
{
	free(s->bounds);
	free(s->cells);
	free(s->choices);
}

/* Room for one more entry of @size bytes in an array that doubles; NULL: no memory */
static void *segments_grow(void *array, size_t nr, size_t *room, size_t size)
{
	if (nr < *room)
		return array;
	*room = *room ? 2 * *room : 256;
	return realloc(array, *room * size);
}

/* --- boundaries --- */

static int segments_add_bound(struct segments *s, __u64 sector)
{
	__u64 *bounds = segments_grow(s->bounds, s->nr_bounds, &s->room_bounds, sizeof(*bounds));

	if (!bounds)
		return -ENOMEM;
	s->bounds = bounds;
	s->bounds[s->nr_bounds++] = sector;
	return 0;
}

/* What rule @index does with ranges: the position of @range in its target */
static __s64 segments_delta(const struct ublkpol_rule *rule, const struct resolve_range *range,
			    __u64 packed)
{
	return rule->at == UBLKPOL_NO_OFFSET ? 0 : (__s64)(packed - range->first);
}

/* Inside @range, where one leg of a concat ends and the next begins */
static int segments_cut_concat(struct segments *s, const struct ublkpol_target *target,
			       const struct resolve_range *range, __s64 delta)
{
	__u64 position = 0;
	int ret = 0;

	if (target->action != UBLKPOL_ACTION_CONCAT || !s->r->input->backend_sectors)
		return 0;
	for (__u32 i = 0; !ret && i < target->nr_legs; i++) {
		__u64 lba;

		position += s->r->input->backend_sectors[s->r->image->legs[target->first_leg + i]];
		lba = position - (__u64)delta;
		if (lba > range->first && lba < range->last)
			ret = segments_add_bound(s, lba);
	}
	return ret;
}

static int segments_cut_rule(struct segments *s, __u32 index)
{
	const struct ublkpol_rule *rule = &s->r->image->rules[index];
	const struct ublkpol_target *target = policy_image_target(s->r->image, index);
	const struct resolve_range everything = { 0, s->r->layout->dev_sectors };
	__u64 packed = rule->at / RESOLVE_SECTOR;
	int ret = 0;

	if (rule->at == UBLKPOL_NO_OFFSET)
		ret = segments_cut_concat(s, target, &everything, 0);
	for (__u32 l = 0; l < rule->nr_lists; l++) {
		const struct resolve_list *list = &s->r->layout->lists[rule->first_list + l];

		for (size_t i = 0; !ret && i < list->nr; i++) {
			const struct resolve_range *range = &list->ranges[i];

			ret = segments_add_bound(s, range->first);
			if (!ret)
				ret = segments_add_bound(s, range->last);
			if (!ret && rule->at != UBLKPOL_NO_OFFSET)
				ret = segments_cut_concat(s, target, range,
							  segments_delta(rule, range, packed));
			packed += range->last - range->first;
		}
	}
	return ret;
}

static int segments_compare_u64(const void *a, const void *b)
{
	__u64 x = *(const __u64 *)a, y = *(const __u64 *)b;

	return (x > y) - (x < y);
}

static int segments_cut(struct segments *s)
{
	/* What is read from a mirror depends on what is written there: the same cells */
	__u32 ops = s->r->image->header->nr_mirrors ? ~0U : segments_dir_ops[s->dir];
	size_t unique = 1;
	int ret;

	ret = segments_add_bound(s, 0);
	for (__u32 i = 0; !ret && i < s->r->image->header->nr_rules; i++) {
		if (s->r->image->rules[i].ops & ops)
			ret = segments_cut_rule(s, i);
	}
	if (!ret)
		ret = segments_add_bound(s, s->r->layout->dev_sectors);
	if (ret)
		return ret;
	resolve_sort(s->bounds, s->nr_bounds, sizeof(*s->bounds), segments_compare_u64);
	for (size_t i = 1; i < s->nr_bounds; i++) {
		if (s->bounds[i] != s->bounds[unique - 1])
			s->bounds[unique++] = s->bounds[i];
	}
	s->nr = (__u32)(unique - 1);

	s->cells = calloc(s->nr + 1ULL, sizeof(*s->cells));
	if (!s->cells)
		return -ENOMEM;
	for (__u32 c = 0; c <= s->nr; c++) {
		s->cells[c].rule = UBLKPOL_NO_RULE;
		s->cells[c].next = c;
		s->cells[c].first_choice = SEGMENTS_NO_CHOICE;
	}
	return 0;
}

/* --- the rules take cells --- */

/* First free cell at or behind @cell, or s->nr */
static __u32 segments_free_at(struct segments *s, __u32 cell)
{
	__u32 free_cell = cell;

	while (s->cells[free_cell].next != free_cell)
		free_cell = s->cells[free_cell].next;
	while (s->cells[cell].next != free_cell) {
		__u32 next = s->cells[cell].next;

		s->cells[cell].next = free_cell;
		cell = next;
	}
	return free_cell;
}

static __u32 segments_cell_at(const struct segments *s, __u64 sector)
{
	const __u64 *bound =
		bsearch(&sector, s->bounds, s->nr + 1ULL, sizeof(*s->bounds), segments_compare_u64);

	return (__u32)(bound - s->bounds);
}

static int segments_take(struct segments *s, __u32 index, __u32 rule, __s64 delta, __u32 outcome)
{
	struct segments_cell *cell = &s->cells[index];
	struct segments_choice *choices;

	if (outcome == UBLKPOL_NEVER)
		return 0;
	if (outcome == UBLKPOL_ALWAYS) {
		cell->rule = rule;
		cell->delta = delta;
		cell->next = index + 1;
		return 0;
	}
	/* The first of several ranges of a list that hold the cell */
	if (cell->mask & 1ULL << outcome)
		return 0;
	choices = segments_grow(s->choices, s->nr_choices, &s->room_choices, sizeof(*choices));
	if (!choices)
		return -ENOMEM;
	s->choices = choices;
	choices[s->nr_choices] = (struct segments_choice){ delta, rule, SEGMENTS_NO_CHOICE };
	if (cell->mask)
		choices[cell->last_choice].next = (__u32)s->nr_choices;
	else
		cell->first_choice = (__u32)s->nr_choices;
	cell->last_choice = (__u32)s->nr_choices++;
	cell->mask |= 1ULL << outcome;
	return 0;
}

/* Rule @index asks for the cell; says so if an earlier rule has it */
static void segments_note_taker(const struct segments *s, __u32 cell, __u32 index)
{
	if (s->cells[cell].next != cell && s->r->takers[index] == UBLKPOL_NO_RULE)
		s->r->takers[index] = s->cells[cell].rule;
}

static int segments_take_range(struct segments *s, const struct resolve_range *range, __u32 rule,
			       __s64 delta, __u32 outcome)
{
	__u32 cell = segments_cell_at(s, range->first);
	int ret = 0;

	if (outcome != UBLKPOL_NEVER)
		segments_note_taker(s, cell, rule);
	cell = segments_free_at(s, cell);
	while (!ret && cell < s->nr && s->bounds[cell] < range->last) {
		ret = segments_take(s, cell, rule, delta, outcome);
		cell = segments_free_at(s, cell + (outcome != UBLKPOL_ALWAYS));
	}
	return ret;
}

/* A rule that can only match inside its list, or that has none */
static int segments_take_list(struct segments *s, __u32 index, __u32 outcome)
{
	const struct ublkpol_rule *rule = &s->r->image->rules[index];
	const struct resolve_range everything = { 0, s->r->layout->dev_sectors };
	const struct resolve_list *list = &s->r->layout->lists[rule->first_list];
	__u64 packed = rule->at / RESOLVE_SECTOR;
	int ret = 0;

	if (!rule->nr_lists)
		return segments_take_range(s, &everything, index, 0, outcome);
	for (size_t i = 0; !ret && i < list->nr; i++) {
		const struct resolve_range *range = &list->ranges[i];

		ret = segments_take_range(s, range, index, segments_delta(rule, range, packed),
					  outcome);
		packed += range->last - range->first;
		if (rule->at != UBLKPOL_NO_OFFSET && packed > SEGMENTS_MAX_POSITION) {
			resolve_report(s->r, UBLKPOL_NO_CHECK, index, 0, NULL,
				       "the ranges end beyond the largest possible backend");
			return -EINVAL;
		}
	}
	return ret;
}

/* Any other rule: for each cell, which of its lists hold it? */
static int segments_take_combinations(struct segments *s, __u32 index)
{
	const struct ublkpol_rule *rule = &s->r->image->rules[index];
	const __u32 *outcomes = s->r->image->outcomes + rule->first_outcome[s->dir];
	int ret = 0;

	for (__u32 c = 0; c < s->nr; c++)
		s->cells[c].in_lists = 0;
	for (__u32 l = 0; l < rule->nr_lists; l++) {
		const struct resolve_list *list = &s->r->layout->lists[rule->first_list + l];

		for (size_t i = 0; i < list->nr; i++) {
			__u32 cell = segments_cell_at(s, list->ranges[i].first);

			for (; cell < s->nr && s->bounds[cell] < list->ranges[i].last; cell++)
				s->cells[cell].in_lists |= 1U << l;
		}
	}
	for (__u32 c = 0; c < s->nr; c++) {
		if (outcomes[s->cells[c].in_lists] != UBLKPOL_NEVER)
			segments_note_taker(s, c, index);
	}
	for (__u32 c = segments_free_at(s, 0); !ret && c < s->nr; c = segments_free_at(s, c + 1))
		ret = segments_take(s, c, index, 0, outcomes[s->cells[c].in_lists]);
	return ret;
}

static int segments_take_rule(struct segments *s, __u32 index)
{
	const struct ublkpol_rule *rule = &s->r->image->rules[index];
	const __u32 *outcomes = s->r->image->outcomes + rule->first_outcome[s->dir];

	if (!rule->nr_lists)
		return segments_take_list(s, index, outcomes[0]);
	if (rule->nr_lists == 1 && outcomes[0] == UBLKPOL_NEVER)
		return segments_take_list(s, index, outcomes[1]);
	return segments_take_combinations(s, index);
}

/* --- mirrors --- */

static void segments_note_mirror(const struct segments *s, struct segments_cell *cell, __u32 rule)
{
	const struct ublkpol_target *target;

	if (rule == UBLKPOL_NO_RULE)
		return;
	target = policy_image_target(s->r->image, rule);
	if (target->action != UBLKPOL_ACTION_MIRROR)
		return;
	/* One that may not degrade speaks for all */
	cell->degrade = target->degrade && (!cell->mirror || cell->degrade);
	cell->mirror = target->mirror + 1;
}

/* Which mirror a cell belongs to that is written */
static void segments_find_written_mirrors(struct segments *writes)
{
	for (__u32 c = 0; c < writes->nr; c++) {
		struct segments_cell *cell = &writes->cells[c];

		for (__u32 i = cell->first_choice; i != SEGMENTS_NO_CHOICE;
		     i = writes->choices[i].next)
			segments_note_mirror(writes, cell, writes->choices[i].rule);
		segments_note_mirror(writes, cell, cell->rule);
	}
}

/* The mirror that a rule leads to: index plus 1; 0: to backends otherwise, -1: to none */
static __s64 segments_mirror_of_rule(const struct segments *s, __u32 rule)
{
	const struct ublkpol_target *target;

	if (rule == UBLKPOL_NO_RULE)
		return -1;
	target = policy_image_target(s->r->image, rule);
	if (!policy_image_has_legs(target->action))
		return -1;
	return target->action == UBLKPOL_ACTION_MIRROR ? (__s64)target->mirror + 1 : 0;
}

/*
 * Where nothing is written, all reads may go to one place of one mirror. Only then is
 * it known of a read that fails where its copies are.
 */
static __u32 segments_common_mirror(const struct segments *s, const struct segments_cell *cell)
{
	__s64 common = segments_mirror_of_rule(s, cell->rule), delta = cell->delta, mirror;

	for (__u32 i = cell->first_choice; i != SEGMENTS_NO_CHOICE; i = s->choices[i].next) {
		mirror = segments_mirror_of_rule(s, s->choices[i].rule);
		if (mirror < 0)
			continue;
		if (common >= 0 && (mirror != common || s->choices[i].delta != delta))
			return 0;
		common = mirror;
		delta = s->choices[i].delta;
	}
	return common > 0 ? (__u32)common : 0;
}

static void segments_find_read_mirrors(struct segments *reads, const struct segments *writes)
{
	for (__u32 c = 0; c < reads->nr; c++) {
		struct segments_cell *cell = &reads->cells[c];

		cell->is_mirrored = writes->cells[c].mirror;
		cell->mirror = cell->is_mirrored ? writes->cells[c].mirror
						 : segments_common_mirror(reads, cell);
	}
}

/* What is written to a mirror is read there, by a rule that reads one of its legs, too */
static __u32 segments_mirror_of(const struct segments *s, const struct segments_cell *cell,
				__u32 rule)
{
	__s64 mirror;

	if (cell->is_mirrored)
		return cell->mirror;
	mirror = segments_mirror_of_rule(s, rule);
	return mirror > 0 ? (__u32)mirror : 0;
}

/* --- the tables --- */

/* The leg of a concat that holds the LBA takes the place of the concat; false: none does */
static bool segments_enter_concat(const struct resolve *r, __u64 lba, __u32 *target, __s64 *delta)
{
	const struct ublkpol_target *concat = &r->image->targets[*target];
	__u64 position = lba + (__u64)*delta, start = 0;

	if (concat->action != UBLKPOL_ACTION_CONCAT || !r->input->backend_sectors)
		return true;
	for (__u32 i = 0; i < concat->nr_legs; i++) {
		__u32 backend = r->image->legs[concat->first_leg + i];
		__u64 sectors = r->input->backend_sectors[backend];

		if (position - start < sectors) {
			*target = policy_image_backend_target(r->image, backend);
			*delta -= (__s64)start;
			return true;
		}
		start += sectors;
	}
	return false;
}

static void segments_report_overcommit(struct segments *s, __u32 rule, __u64 position)
{
	char need[RESOLVE_TEXT_SIZE], size[RESOLVE_TEXT_SIZE];
	const struct ublkpol_target *concat = policy_image_target(s->r->image, rule);

	if (s->r->overcommitted[rule])
		return;
	s->r->overcommitted[rule] = true;
	resolve_report(s->r, UBLKPOL_CHECK_OVERCOMMIT, rule, 0, NULL,
		       "the rule needs a concat beyond %s, but it holds only %s",
		       resolve_print_lba(s->r, need, position),
		       resolve_print_size(size, resolve_capacity(s->r, concat)));
}

static void segments_place(struct segments *s, __u32 rule, __u64 lba, __u32 *target, __s64 *delta)
{
	*target = UBLKPOL_NO_TARGET;
	if (rule == UBLKPOL_NO_RULE)
		return;
	*target = s->r->image->rules[rule].target;
	if (segments_enter_concat(s->r, lba, target, delta))
		return;
	segments_report_overcommit(s, rule, lba + (__u64)*delta);
	*target = UBLKPOL_NO_TARGET;
}

static __u32 segments_modifiers(const struct segments *s, __u32 rule)
{
	return rule == UBLKPOL_NO_RULE ? 0 : s->r->image->rules[rule].modifiers;
}

static bool segments_is_same_choice(const struct ublkpol_choice *a, const struct ublkpol_choice *b)
{
	return a->delta == b->delta && a->rule == b->rule && a->target == b->target &&
	       a->mirror == b->mirror;
}

/* A list of choices that the table has already, not far from its end; else the end */
static __u32 segments_share_choices(const struct resolve_layout *layout,
				    const struct ublkpol_choice *list, __u32 nr)
{
	__u32 oldest = layout->nr_choices > SEGMENTS_KEPT_LISTS * nr
			       ? layout->nr_choices - SEGMENTS_KEPT_LISTS * nr
			       : 0;

	for (__u32 at = oldest; at + nr <= layout->nr_choices; at++) {
		__u32 i = 0;

		while (i < nr && segments_is_same_choice(&layout->choices[at + i], &list[i]))
			i++;
		if (i == nr)
			return at;
	}
	return layout->nr_choices;
}

/* Fills in @list with what can happen in @cell besides its last rule */
static __u32 segments_choices(struct segments *s, const struct segments_cell *cell, __u64 lba,
			      struct ublkpol_choice *list)
{
	__u32 nr = 0;

	for (__u32 i = cell->first_choice; i != SEGMENTS_NO_CHOICE; i = s->choices[i].next) {
		struct ublkpol_choice *choice = &list[nr++];

		*choice = (struct ublkpol_choice){
			.delta = s->choices[i].delta,
			.rule = s->choices[i].rule,
			.modifiers = segments_modifiers(s, s->choices[i].rule),
			.mirror = segments_mirror_of(s, cell, s->choices[i].rule),
		};
		segments_place(s, choice->rule, lba, &choice->target, &choice->delta);
	}
	return nr;
}

static int segments_add_choices(struct resolve_layout *layout, const struct ublkpol_choice *list,
				__u32 nr, size_t *room, __u32 *first)
{
	*first = segments_share_choices(layout, list, nr);
	if (*first < layout->nr_choices)
		return 0;
	for (__u32 i = 0; i < nr; i++) {
		struct ublkpol_choice *choices =
			segments_grow(layout->choices, layout->nr_choices, room, sizeof(*choices));

		if (!choices)
			return -ENOMEM;
		layout->choices = choices;
		layout->choices[layout->nr_choices++] = list[i];
	}
	return 0;
}

static bool segments_can_join(const struct ublkpol_segment *a, const struct ublkpol_segment *b)
{
	return a->rule == b->rule && a->target == b->target && a->delta == b->delta &&
	       a->mask == b->mask && a->first_choice == b->first_choice && a->mirror == b->mirror &&
	       a->retry_mirror == b->retry_mirror && a->degrade == b->degrade;
}

/* Appends the cells to the segment table, equal neighbours joined */
static int segments_emit(struct segments *s, size_t *room_choices)
{
	struct resolve_layout *layout = s->r->layout;
	__u32 before = s->dir == UBLKPOL_DIR_WRITE ? layout->nr_segments[UBLKPOL_DIR_READ] : 0;
	struct ublkpol_choice list[UBLKPOL_MAX_CONDITIONS];
	struct ublkpol_segment *segments, *last = NULL;
	int ret;

	segments = realloc(layout->segments, ((size_t)before + s->nr) * sizeof(*segments));
	if (!segments)
		return -ENOMEM;
	layout->segments = segments;
	segments += before;

	for (__u32 c = 0; c < s->nr; c++) {
		const struct segments_cell *cell = &s->cells[c];
		struct ublkpol_segment segment = {
			.start = s->bounds[c],
			.end = s->bounds[c + 1],
			.delta = cell->delta,
			.mask = cell->mask,
			.rule = cell->rule,
			.modifiers = segments_modifiers(s, cell->rule),
			.mirror = segments_mirror_of(s, cell, cell->rule),
			.retry_mirror = cell->mirror,
			.degrade = cell->degrade,
		};
		__u32 nr = segments_choices(s, cell, segment.start, list);

		segments_place(s, cell->rule, segment.start, &segment.target, &segment.delta);
		ret = nr ? segments_add_choices(layout, list, nr, room_choices,
						&segment.first_choice)
			 : 0;
		if (ret)
			return ret;
		if (last && segments_can_join(last, &segment)) {
			last->end = segment.end;
			continue;
		}
		last = &segments[layout->nr_segments[s->dir]++];
		*last = segment;
	}
	return 0;
}

int resolve_segments(struct resolve *r)
{
	struct segments dirs[UBLKPOL_NR_DIRS] = {
		{ .r = r, .dir = UBLKPOL_DIR_READ },
		{ .r = r, .dir = UBLKPOL_DIR_WRITE },
	};
	size_t room_choices = 0;
	int ret = 0;

	for (int dir = 0; !ret && dir < UBLKPOL_NR_DIRS; dir++) {
		ret = segments_cut(&dirs[dir]);
		for (__u32 i = 0; !ret && i < r->image->header->nr_rules; i++) {
			if (r->image->rules[i].ops & segments_dir_ops[dir])
				ret = segments_take_rule(&dirs[dir], i);
		}
	}
	if (!ret && r->image->header->nr_mirrors) {
		segments_find_written_mirrors(&dirs[UBLKPOL_DIR_WRITE]);
		segments_find_read_mirrors(&dirs[UBLKPOL_DIR_READ], &dirs[UBLKPOL_DIR_WRITE]);
	}
	for (int dir = 0; !ret && dir < UBLKPOL_NR_DIRS; dir++)
		ret = segments_emit(&dirs[dir], &room_choices);
	for (int dir = 0; dir < UBLKPOL_NR_DIRS; dir++)
		segments_free(&dirs[dir]);
	return !ret && r->nr_errors ? -EINVAL : ret;
}
