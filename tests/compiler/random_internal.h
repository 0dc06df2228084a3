/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_RANDOM_INTERNAL_H
#define TESTS_COMPILER_RANDOM_INTERNAL_H

/* What the parts of the generator share */
#include <stdio.h>

#include "random_policy.h"

#define RANDOM_MAX_CUTS	   8
#define RANDOM_MAX_REGIONS 5
#define RANDOM_TEXT	   512

/* A boundary; the same wherever it is written */
struct random_cut {
	uint64_t sector;
	bool is_percent;
	unsigned int hundredths; /* of a percent */
};

/* A rule of the layout: a few stretches of the device and their target */
struct random_region {
	unsigned int ranges[RANDOM_MAX_CUTS]; /* each starts at that cut */
	unsigned int nr_ranges;
	char lba[RANDOM_TEXT]; /* "LBA ..." */
	char target[RANDOM_TEXT];
	char leg[RANDOM_TEXT]; /* of a mirror: where its reads may go, too; or "" */
	bool has_at;
	bool is_data;
};

struct random_draw {
	struct random_policy *policy;
	FILE *out;
	const char *name; /* of the files */
	uint64_t dev; /* sectors */
	bool has_size;
	struct random_cut cuts[RANDOM_MAX_CUTS + 1];
	unsigned int nr_cuts; /* stretches; there is one cut more */
	struct random_region regions[RANDOM_MAX_REGIONS];
	unsigned int nr_regions;
	unsigned int next_backend;
	unsigned int nr_labels;
	bool has_set; /* "hot" */
	bool has_set_file; /* "cold" */
	bool has_params;
	bool is_wild; /* things may be wrong */
};

/** random_range_print() - the range between two cuts, in one of its spellings */
void random_range_print(char *text, const struct random_draw *draw, unsigned int from,
			unsigned int to);

/** random_condition_print() - conditions to stand before "->" or beside others */
void random_condition_print(struct random_draw *draw, bool may_have_lba);

/** random_modifiers_print() - none, or some modifiers with a blank before each */
void random_modifiers_print(struct random_draw *draw, bool may_wait);

/** random_params_print() - declare the parameters that conditions and modifiers use */
void random_params_print(struct random_draw *draw);

#endif
