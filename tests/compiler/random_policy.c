// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "random_internal.h"

static uint64_t random_state;

void random_seed(uint64_t seed)
{
	random_state = (seed + 1) * 0xd1b54a32d192ed03ULL; /* no series is a part of another */
}

/* splitmix64 */
static uint64_t random_next(void)
{
	uint64_t z = random_state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t random_below(uint64_t limit)
{
	return random_next() % limit;
}

bool random_chance(unsigned int percent)
{
	return random_below(100) < percent;
}

unsigned int random_policy_backend(const char *name)
{
	return atoi(name + strcspn(name, "0123456789"));
}

static uint64_t random_blocks(const struct random_draw *draw, uint64_t sectors)
{
	return sectors / draw->policy->block * draw->policy->block;
}

/* --- the device and its cuts --- */

static int compare_cuts(const void *a, const void *b)
{
	const struct random_cut *first = a, *second = b;

	return (first->sector > second->sector) - (first->sector < second->sector);
}

static struct random_cut draw_cut(const struct random_draw *draw)
{
	struct random_cut cut = { .is_percent = !draw->has_size || random_chance(50) };

	if (cut.is_percent) {
		cut.hundredths = random_chance(50) ? 500 * random_below(20) : random_below(10000);
		cut.sector = random_blocks(draw, draw->dev * cut.hundredths / 10000);
	} else {
		cut.sector = random_blocks(draw, random_below(draw->dev));
	}
	return cut;
}

static void draw_cuts(struct random_draw *draw)
{
	unsigned int nr = random_below(RANDOM_MAX_CUTS);
	unsigned int kept = 1;

	draw->cuts[0] = (struct random_cut){ .is_percent = random_chance(50) };
	for (unsigned int i = 1; i <= nr; i++)
		draw->cuts[i] = draw_cut(draw);
	qsort(draw->cuts, nr + 1, sizeof(draw->cuts[0]), compare_cuts);
	/* Percentages of a device whose size is not known must not meet, whatever it is */
	for (unsigned int i = 1; i <= nr; i++) {
		if (draw->cuts[i].sector > draw->cuts[kept - 1].sector + 64)
			draw->cuts[kept++] = draw->cuts[i];
	}
	draw->nr_cuts = kept;
	draw->cuts[kept] = (struct random_cut){
		.sector = draw->dev,
		.is_percent = true,
		.hundredths = 10000,
	};
}

static int print_cut(char *text, const struct random_cut *cut, const char *unit)
{
	if (!strcmp(unit, "%"))
		return sprintf(text, cut->hundredths % 100 ? "%u.%02u%%" : "%u%%",
			       cut->hundredths / 100, cut->hundredths % 100);
	if (!strcmp(unit, "KiB") && cut->sector % 2 == 0)
		return sprintf(text, "%lluKiB", (unsigned long long)cut->sector / 2);
	if (!*unit)
		return sprintf(text, "%llu", (unsigned long long)cut->sector);
	return sprintf(text, "%lluB", (unsigned long long)cut->sector * 512);
}

void random_range_print(char *text, const struct random_draw *draw, unsigned int from,
			unsigned int to)
{
	const struct random_cut *first = &draw->cuts[from], *last = &draw->cuts[to];
	bool to_end = to == draw->nr_cuts;
	char number[64];

	/* "12.5-50%": the unit serves both */
	if (first->is_percent && last->is_percent && !to_end && random_chance(50)) {
		print_cut(number, first, "%");
		number[strlen(number) - 1] = '\0';
		text += sprintf(text, "%s-", number);
		print_cut(text, last, "%");
		return;
	}
	/* bare sectors, on both sides */
	if (!first->is_percent && !last->is_percent && !to_end && random_chance(50)) {
		text += print_cut(text, first, "");
		text += sprintf(text, "-");
		print_cut(text, last, "");
		return;
	}
	if (!first->sector && random_chance(50))
		text += sprintf(text, "0");
	else
		text += print_cut(text, first, first->is_percent ? "%" : "KiB");
	text += sprintf(text, "-");
	if (to_end && random_chance(60))
		sprintf(text, "end");
	else
		print_cut(text, last, last->is_percent ? "%" : "KiB");
}

/* --- the layout --- */

static unsigned int take_backend(struct random_draw *draw)
{
	return draw->next_backend++;
}

static void backend_name(char *text, unsigned int backend)
{
	sprintf(text, backend % 4 == 3 ? "fd%u" : "b%u", backend);
}

static void print_legs(char *text, struct random_draw *draw, unsigned int nr, bool with_weights)
{
	text += sprintf(text, "{");
	for (unsigned int i = 0; i < nr; i++) {
		char name[16];

		backend_name(name, take_backend(draw));
		if (with_weights && i && random_chance(50))
			text += sprintf(text, ",");
		text += sprintf(text, " %s", name);
		if (with_weights && random_chance(70))
			text += sprintf(text, " %u", 1 + (unsigned int)random_below(5));
	}
	sprintf(text, " }");
}

static void print_chunk(char *text, const struct random_draw *draw)
{
	unsigned int chunk = draw->policy->block * (1 + random_below(40));

	if (chunk % 2 || random_chance(50))
		sprintf(text, "%u", chunk);
	else
		sprintf(text, "%uKiB", chunk / 2);
}

static void print_mirror(char *text, struct random_draw *draw, struct random_region *region)
{
	unsigned int first = draw->next_backend;
	unsigned int nr = 2 + random_below(2);
	char chunk[32];

	text += sprintf(text, "mirror ");
	print_legs(text, draw, nr, false);
	text += strlen(text);
	backend_name(region->leg, first + random_below(nr));
	switch (random_below(5)) {
	case 0:
		text += sprintf(text, " read first");
		break;
	case 1:
		text += sprintf(text, " read round-robin");
		break;
	case 2:
		print_chunk(chunk, draw);
		text += sprintf(text, " read by LBA %s", chunk);
		break;
	}
	if (random_chance(30))
		sprintf(text, " degrade");
}

enum { KIND_BACKEND, KIND_STRIPE, KIND_CONCAT, KIND_HASH, KIND_MIRROR, NR_KINDS };

static void draw_data(struct random_draw *draw, struct random_region *region, unsigned int kind)
{
	char *text = region->target;
	char chunk[32], at[32];

	print_chunk(chunk, draw);
	region->is_data = true;
	switch (kind) {
	case KIND_STRIPE:
		text += sprintf(text, "stripe %s ", chunk);
		print_legs(text, draw, 2 + random_below(2), false);
		break;
	case KIND_CONCAT:
		text += sprintf(text, "concat ");
		print_legs(text, draw, 2 + random_below(2), false);
		break;
	case KIND_HASH:
		text += sprintf(text, "hash %s ", chunk);
		print_legs(text, draw, 2 + random_below(2), true);
		break;
	case KIND_MIRROR:
		print_mirror(text, draw, region);
		break;
	default:
		backend_name(text, take_backend(draw));
	}
	if (!draw->has_size || random_chance(65))
		return;
	region->has_at = true;
	sprintf(at, " @ %llu", (unsigned long long)random_blocks(draw, random_below(draw->dev)));
	strcat(region->target, at);
	if (*region->leg)
		strcat(region->leg, at);
}

static void draw_target(struct random_draw *draw, struct random_region *region, unsigned int kind)
{
	static const char *const others[] = { "zero", "error EIO", "error ENOSPC", "user" };

	if (draw->next_backend + 3 > RANDOM_MAX_BACKENDS || random_chance(12))
		strcpy(region->target, others[random_below(4)]);
	else
		draw_data(draw, region, kind);
}

static void print_region_lba(struct random_draw *draw, struct random_region *region)
{
	char *text = region->lba;

	text += sprintf(text, "LBA ");
	for (unsigned int i = 0; i < region->nr_ranges; i++) {
		if (i)
			text += sprintf(text, ", ");
		random_range_print(text, draw, region->ranges[i], region->ranges[i] + 1);
		text += strlen(text);
	}
}

/* Deals the stretches out, in no order: that is the order in which they are packed */
static void draw_regions(struct random_draw *draw)
{
	unsigned int kind = random_below(NR_KINDS);
	unsigned int kept = 0;

	draw->nr_regions = 1 + random_below(RANDOM_MAX_REGIONS);
	for (unsigned int i = 0; i < draw->nr_cuts; i++) {
		struct random_region *region = &draw->regions[random_below(draw->nr_regions)];
		unsigned int at = random_below(region->nr_ranges + 1);

		region->ranges[region->nr_ranges] = region->ranges[at];
		region->ranges[at] = i;
		region->nr_ranges++;
	}
	for (unsigned int i = 0; i < draw->nr_regions; i++) {
		struct random_region *region = &draw->regions[i];

		if (!region->nr_ranges)
			continue;
		print_region_lba(draw, region);
		if (draw->has_size)
			kind = random_below(NR_KINDS);
		draw_target(draw, region, kind);
		draw->regions[kept++] = *region;
	}
	draw->nr_regions = kept;
}

static void draw_backend_sizes(struct random_draw *draw)
{
	for (unsigned int i = 0; i < RANDOM_MAX_BACKENDS; i++) {
		uint64_t size = draw->has_size ? 3 * draw->dev : draw->dev + random_below(900);

		if (draw->is_wild && random_chance(10))
			size = random_below(draw->dev);
		draw->policy->backend_sectors[i] = random_blocks(draw, size);
	}
}

/* --- the text --- */

static void print_sets(struct random_draw *draw)
{
	unsigned int from = random_below(draw->nr_cuts);
	char text[RANDOM_TEXT];

	if (random_chance(40)) {
		draw->has_set = true;
		random_range_print(text, draw, from, from + 1);
		fprintf(draw->out, "set hot { %s", text);
		if (from + 1 < draw->nr_cuts) {
			random_range_print(text, draw, draw->nr_cuts - 1, draw->nr_cuts);
			fprintf(draw->out, random_chance(50) ? ", %s" : " %s", text);
		}
		fprintf(draw->out, " }\n");
	}
	if (random_chance(30)) {
		draw->has_set_file = true;
		fprintf(draw->out, "set cold from \"%s.ranges\"\n", draw->name);
	}
}

static void print_declarations(struct random_draw *draw)
{
	char name[16];

	if (random_chance(20))
		fprintf(draw->out, "language 1\n");
	if (draw->has_size && random_chance(50))
		fprintf(draw->out, "size %llu\n", (unsigned long long)draw->dev);
	else if (draw->has_size)
		fprintf(draw->out, "size %lluB # %s\n", (unsigned long long)draw->dev * 512,
			"in bytes");
	if (draw->policy->block > 1)
		fprintf(draw->out, "block %uB\n", draw->policy->block * 512);
	for (unsigned int i = 0; i < draw->next_backend; i++) {
		backend_name(name, i);
		if (*name == 'b')
			fprintf(draw->out,
				random_chance(20) ? "backend %s = \"/dev/%s\"\n" : "backend %s\n",
				name, name);
	}
	if (random_chance(15))
		fprintf(draw->out, "include \"%s.inc\"\n", draw->name);
	if (random_chance(40))
		random_params_print(draw);
	print_sets(draw);
}

static void print_label(struct random_draw *draw)
{
	if (random_chance(20))
		fprintf(draw->out, "r%u: ", ++draw->nr_labels);
}

static void print_end(struct random_draw *draw)
{
	fputs(random_chance(10) ? " ; " : "\n", draw->out);
}

/* The same place again, for some of the requests: slower, or counted */
static void print_variant(struct random_draw *draw, const struct random_region *region)
{
	static const char *const ops[] = { "read", "write", "read, write", "write, discard",
					   "read, write-zeroes, write" };

	print_label(draw);
	if (random_chance(30))
		fprintf(draw->out, "%s ", ops[random_below(5)]);
	fprintf(draw->out, "%s ", region->lba);
	random_condition_print(draw, false);
	fprintf(draw->out, " -> %s", region->target);
	random_modifiers_print(draw, true);
	print_end(draw);
}

/* A mirror's reads may choose a leg */
static void print_leg_choice(struct random_draw *draw, const struct random_region *region)
{
	print_label(draw);
	fprintf(draw->out, "read %s ", region->lba);
	random_condition_print(draw, false);
	fprintf(draw->out, " -> %s", region->leg);
	random_modifiers_print(draw, true);
	print_end(draw);
}

/* Errors and user code take what they like */
static void print_exception(struct random_draw *draw)
{
	static const char *const actions[] = { "error EIO", "error EROFS", "user",
					       "error ETIMEDOUT" };
	/* so that something is left for the other rules */
	static const char *const some[] = { "read chance 10%", "write prio rt",
					    "write, discard meta", "queue 1",
					    "read, write-zeroes, write cpu 2" };

	print_label(draw);
	fprintf(draw->out, "%s ", some[random_below(5)]);
	random_condition_print(draw, true);
	fprintf(draw->out, " -> %s", actions[random_below(4)]);
	random_modifiers_print(draw, false);
	print_end(draw);
}

static void print_rare(struct random_draw *draw)
{
	static const char *const rules[] = {
		"flush -> error EIO",
		"flush sync -> error EIO",
		"discard -> error EOPNOTSUPP",
		"discard, write-zeroes -> error EOPNOTSUPP",
		"write-zeroes size > 4KiB -> error EIO count zeroes",
		"(read size <= 1KiB or write fua) -> error EIO",
		"not read chance 1% -> error EIO",
		"discard -> drop",
		"discard size > 16KiB -> zero count lost",
	};
	static const char *const wild[] = {
		"write -> drop",	   "write fua -> drop", "LBA 0-50% write -> b0",
		"read size <= 1KiB -> b1", "flush -> b0",	"LBA 10%-10.01% -> error EIO",
		"LBA 0-100GiB -> b0",	   "sync -> zero",	"flush prio be -> b0",
		"flush meta -> b1",	   "flush -> user",
	};

	if (draw->is_wild && random_chance(70))
		fprintf(draw->out, "%s\n", wild[random_below(sizeof(wild) / sizeof(*wild))]);
	else
		fprintf(draw->out, "%s\n", rules[random_below(sizeof(rules) / sizeof(*rules))]);
}

static void print_region(struct random_draw *draw, const struct random_region *region, bool is_last)
{
	if (region->is_data && random_chance(40))
		print_variant(draw, region);
	if (*region->leg && random_chance(60))
		print_leg_choice(draw, region);
	print_label(draw);
	if (is_last && !region->has_at && random_chance(60))
		fprintf(draw->out, "default -> %s", region->target);
	else
		fprintf(draw->out, "%s -> %s", region->lba, region->target);
	random_modifiers_print(draw, region->is_data);
	print_end(draw);
}

static void print_rules(struct random_draw *draw)
{
	unsigned int nr = random_below(3);

	while (nr--)
		print_exception(draw);
	if (random_chance(25))
		print_rare(draw);
	if (draw->has_set && random_chance(60))
		fprintf(draw->out, "LBA hot chance 20%% -> error EIO\n");
	if (draw->has_set_file && random_chance(60))
		fprintf(draw->out, "write LBA cold, 0-%u prio be -> user\n", draw->policy->block);
	for (unsigned int i = 0; i < draw->nr_regions; i++)
		print_region(draw, &draw->regions[i], i + 1 == draw->nr_regions);
	fputs("\n", draw->out);
}

static FILE *open_file(const char *directory, const char *name, const char *suffix)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s%s", directory, name, suffix);
	return fopen(path, "w");
}

/* What policies read a set from */
static int write_ranges(const struct random_draw *draw, const char *directory)
{
	FILE *out = open_file(directory, draw->name, ".ranges");
	char text[RANDOM_TEXT];

	if (!out)
		return -errno;
	for (unsigned int i = 0; i < draw->nr_cuts; i++) {
		if (i && random_chance(50))
			continue;
		random_range_print(text, draw, i, i + 1);
		fprintf(out, "%s\n", text);
	}
	return fclose(out) ? -errno : 0;
}

static int write_include(const struct random_draw *draw, const char *directory)
{
	FILE *out = open_file(directory, draw->name, ".inc");

	if (!out)
		return -errno;
	fprintf(out, "# rules that come first\nwrite fua swap -> error EIO\n");
	return fclose(out) ? -errno : 0;
}

static int write_policy(struct random_draw *draw, const char *directory)
{
	draw->out = open_file(directory, draw->name, ".ublkpol");
	if (!draw->out)
		return -errno;
	print_declarations(draw);
	print_rules(draw);
	return fclose(draw->out) ? -errno : 0;
}

int random_policy_write(struct random_policy *policy, const char *directory, const char *name)
{
	struct random_draw draw = { .policy = policy, .name = name };
	int err;

	policy->block = random_chance(30) ? 8 : 1;
	draw.is_wild = random_chance(15);
	draw.has_size = random_chance(75);
	draw.dev = random_blocks(&draw, 600 + random_below(6000));
	draw_cuts(&draw);
	draw_regions(&draw);
	draw_backend_sizes(&draw);

	err = write_ranges(&draw, directory);
	if (!err)
		err = write_include(&draw, directory);
	return err ? err : write_policy(&draw, directory);
}
