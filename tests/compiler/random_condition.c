// SPDX-License-Identifier: GPL-2.0-only
/* Random conditions and modifiers */
#include <string.h>

#include "random_internal.h"

#define PICK(list) ((list)[random_below(sizeof(list) / sizeof((list)[0]))])

/* A parameter, if there are any, or the number */
static void print_value(struct random_draw *draw, const char *param, const char *number)
{
	if (draw->has_params && random_chance(40))
		fprintf(draw->out, "$%s", param);
	else
		fputs(number, draw->out);
}

void random_params_print(struct random_draw *draw)
{
	static const char *const sizes[] = { "512B", "4KiB", "12.5KiB", "64KiB" };
	static const char *const aligns[] = { "1KiB", "4KiB", "2KiB" };
	static const char *const chances[] = { "0%", "1%", "12.5%", "100%" };
	static const char *const rates[] = { "1MiB/s", "512KiB/s", "3GiB/s" };

	draw->has_params = true;
	fprintf(draw->out, "param p_size = %s\n", PICK(sizes));
	fprintf(draw->out, "param p_align = %s\n", PICK(aligns));
	fprintf(draw->out, "param p_chance = %s\n", PICK(chances));
	fprintf(draw->out, "param p_every = %u\n", 1 + (unsigned int)random_below(7));
	fprintf(draw->out, "param p_number = %u\n", (unsigned int)random_below(3));
	fprintf(draw->out, "param p_delay = %uus\n", 1 + (unsigned int)random_below(5000));
	fprintf(draw->out, "param p_rate = %s\n", PICK(rates));
}

static void print_span(struct random_draw *draw)
{
	unsigned int first = random_below(4), last = first + random_below(3);
	char text[16];

	snprintf(text, sizeof(text), "%u", first);
	if (random_chance(50)) {
		print_value(draw, "p_number", text);
		return;
	}
	fprintf(draw->out, "%s-%u", text, last);
}

static void print_spans(struct random_draw *draw, const char *word)
{
	fprintf(draw->out, "%s ", word);
	print_span(draw);
	while (random_chance(30)) {
		fputs(", ", draw->out);
		print_span(draw);
	}
}

static void print_comparison(struct random_draw *draw)
{
	static const char *const comparisons[] = { "==", "!=", "<", "<=", ">", ">=" };

	fprintf(draw->out, "%s ", PICK(comparisons));
}

static void print_size(struct random_draw *draw)
{
	static const char *const sizes[] = { "512B", "1KiB", "4KiB", "16", "40KiB", "1.5KiB" };

	fputs("size ", draw->out);
	print_comparison(draw);
	print_value(draw, "p_size", PICK(sizes));
}

static void print_aligned(struct random_draw *draw)
{
	static const char *const aligns[] = { "1KiB", "4KiB", "2KiB", "4" };

	fputs("aligned ", draw->out);
	print_value(draw, "p_align", PICK(aligns));
}

static void print_prio(struct random_draw *draw)
{
	static const char *const classes[] = { "rt", "be", "be", "idle" };
	const char *class = PICK(classes);
	char level[16];

	fputs("prio ", draw->out);
	if (random_chance(50))
		print_comparison(draw);
	fputs(class, draw->out);
	if (*class == 'i' || random_chance(50))
		return;
	snprintf(level, sizeof(level), "%u", (unsigned int)random_below(8));
	fputs(" ", draw->out);
	print_value(draw, "p_number", level);
}

static void print_chance(struct random_draw *draw)
{
	static const char *const chances[] = { "50%", "0.1%", "33.333%", "99%" };

	fputs("chance ", draw->out);
	print_value(draw, "p_chance", PICK(chances));
}

static void print_every(struct random_draw *draw)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", 1 + (unsigned int)random_below(9));
	fputs("every ", draw->out);
	print_value(draw, "p_every", text);
}

static void print_flag(struct random_draw *draw)
{
	static const char *const flags[] = { "fua",  "meta",	"sync", "readahead",
					     "swap", "nounmap", "idle", "failfast" };

	fputs(PICK(flags), draw->out);
}

static void print_lba(struct random_draw *draw)
{
	unsigned int from = random_below(draw->nr_cuts);
	char text[RANDOM_TEXT];

	fputs("LBA ", draw->out);
	if (draw->has_set && random_chance(40)) {
		fputs("hot", draw->out);
		if (random_chance(50))
			return;
		fputs(", ", draw->out);
	}
	if (draw->has_set_file && random_chance(40)) {
		fputs("cold", draw->out);
		return;
	}
	random_range_print(text, draw, from, from + 1 + random_below(draw->nr_cuts - from));
	fputs(text, draw->out);
}

/* @every: so far there is none, and there can be only one */
static void print_term(struct random_draw *draw, bool may_have_lba, bool *may_have_every)
{
	switch (random_below(10)) {
	case 0:
		print_aligned(draw);
		break;
	case 1:
		print_prio(draw);
		break;
	case 2:
		print_spans(draw, "queue");
		break;
	case 3:
		print_spans(draw, "cpu");
		break;
	case 4:
		print_chance(draw);
		break;
	case 5:
		if (*may_have_every)
			print_every(draw);
		else
			print_flag(draw);
		*may_have_every = false;
		break;
	case 6:
		if (may_have_lba) {
			print_lba(draw);
			break;
		}
		/* fall through */
	case 7:
		print_flag(draw);
		break;
	default:
		print_size(draw);
		break;
	}
}

static void print_condition(struct random_draw *draw, unsigned int depth, bool may_have_lba,
			    bool *may_have_every)
{
	unsigned int kind = depth ? random_below(6) : 0;

	switch (kind) {
	case 1:
		fputs("not ", draw->out);
		print_condition(draw, depth - 1, may_have_lba, may_have_every);
		break;
	case 2:
		fputs("(", draw->out);
		print_condition(draw, depth - 1, may_have_lba, may_have_every);
		fputs(" or ", draw->out);
		print_condition(draw, depth - 1, may_have_lba, may_have_every);
		if (random_chance(30)) {
			fputs(random_chance(50) ? "\n\tor " : " or ", draw->out);
			print_term(draw, may_have_lba, may_have_every);
		}
		fputs(")", draw->out);
		break;
	case 3:
		print_condition(draw, depth - 1, may_have_lba, may_have_every);
		fputs(" ", draw->out);
		print_term(draw, false, may_have_every);
		break;
	default:
		print_term(draw, may_have_lba, may_have_every);
	}
}

void random_condition_print(struct random_draw *draw, bool may_have_lba)
{
	bool may_have_every = true;

	print_condition(draw, random_below(4), may_have_lba, &may_have_every);
}

void random_modifiers_print(struct random_draw *draw, bool may_wait)
{
	static const char *const delays[] = { "5ms", "100us", "7ns", "0.5s" };
	static const char *const rates[] = { "100MiB/s", "500iops", "64KiB/s", "1.5GiB/s" };

	if (random_chance(20))
		fprintf(draw->out, " count c%u", (unsigned int)random_below(3));
	if (random_chance(10))
		fputs(" trace", draw->out);
	if (may_wait && random_chance(12)) {
		fputs(" delay ", draw->out);
		print_value(draw, "p_delay", PICK(delays));
	}
	if (may_wait && random_chance(12)) {
		fputs(" limit ", draw->out);
		print_value(draw, "p_rate", PICK(rates));
	}
}
