/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_RESOLVE_H
#define RUNTIME_RESOLVE_H

/*
 * From a policy to a device: how large it is, which sectors each rule serves,
 * and whether reads find what was written. The loader does it with the sizes
 * of the backends, the compiler without them, as far as that goes.
 */
#include <stdbool.h>

#include "policy_image.h"

#define RESOLVE_MAX_SECTORS 2048U /* of one request, before it is lowered: 1 MiB */
#define RESOLVE_NO_RULE	    (~0U)

enum resolve_level {
	RESOLVE_ERROR,
	RESOLVE_WARNING,
};

struct resolve_message {
	enum resolve_level level;
	enum ublkpol_check check; /* or UBLKPOL_NO_CHECK */
	unsigned int rule; /* index, or RESOLVE_NO_RULE */
	unsigned int line; /* of that rule in the policy file, or 0 */
	unsigned int column; /* of the range in question, or 0 */
	const __u32 *others; /* other rules that the message is about, by index */
	unsigned int nr_others;
	const char *text; /* valid during the call only, like @hint */
	const char *hint; /* what to do, or NULL */
};

typedef void (*resolve_report_fn)(void *arg, const struct resolve_message *message);

struct resolve_range {
	__u64 first; /* 512-byte sectors */
	__u64 last; /* half open */
};

/* Ranges in the place of those that the policy's set has */
struct resolve_set {
	const struct ublkpol_range *ranges; /* checked as range_text_parse() does */
	size_t nr;
	bool is_replaced; /* else the policy's own are taken */
};

struct resolve_input {
	const struct policy_image *image;
	const struct resolve_set *sets; /* one for each set of the image, or NULL */
	/*
	 * Usable size of each backend in 512-byte sectors, whole blocks; NULL
	 * if unknown: then nothing is checked against it.
	 */
	const __u64 *backend_sectors;
	/*
	 * Size of the device in 512-byte sectors for a policy that declares
	 * none; 0: what the backends allow. One of the three must be known.
	 */
	__u64 dev_sectors;
	/*
	 * Largest discard of a device that exists: the plans get as many items
	 * as that needs, if there are so many; 0: choose one
	 */
	__u32 discard_sectors;
	/*
	 * What the compiler knows of the conditions that only the program tests,
	 * or NULL. For each direction and number: the conditions of earlier
	 * rules that hold whenever this one holds. For each rule: an earlier one
	 * that gets all of its flushes, or UBLKPOL_NO_RULE.
	 */
	const __u64 *implied[UBLKPOL_NR_DIRS];
	const __u32 *flush_takers;
	bool is_nominal; /* @dev_sectors is made up: messages do not name LBAs by it */
	bool is_made_up; /* the same, but bytes mean something: only its end does not */
	__u32 block; /* bytes, power of two, 512 or more */
	resolve_report_fn report;
	void *report_arg;
};

/* An LBA list of a rule: its ranges and those of its sets, in written order */
struct resolve_list {
	struct resolve_range *ranges;
	size_t nr;
};

struct resolve_layout {
	__u64 dev_sectors;
	__u32 block; /* bytes: the policy's own or the one given */
	__u32 max_sectors; /* of one request, power of two unless it is the block size */
	__u32 max_discard_sectors; /* of a discard or write-zeroes */
	__u32 max_items; /* SQEs that one request can need, 1..UBLK_BPF_MAX_ITEMS */
	struct resolve_list *lists; /* one for each entry of the image's list table */
	/* The segment table: UBLKPOL_DIR_READ, then UBLKPOL_DIR_WRITE */
	struct ublkpol_segment *segments;
	__u32 nr_segments[UBLKPOL_NR_DIRS];
	struct ublkpol_choice *choices;
	__u32 nr_choices;
	struct ublkpol_bucket *buckets;
	__u32 nr_buckets;
	struct ublkpol_node *nodes;
	__u32 nr_nodes;
	struct ublkpol_search search;
};

/**
 * resolve_policy() - lay a policy out on a device
 * @input: the policy and what is known of the machine
 * @layout: filled in; to be freed with resolve_free(), after failures too
 *
 * All errors and warnings are reported, not only the first one.
 * Return: 0, -EINVAL after an error was reported, or -ENOMEM.
 */
int resolve_policy(const struct resolve_input *input, struct resolve_layout *layout);

/** resolve_free() - free the tables of a layout */
void resolve_free(struct resolve_layout *layout);

/**
 * resolve_nominal_sectors() - a device size for checks that need none
 * @is_nominal: for struct resolve_input
 *
 * Return: a size at which the order of all boundaries is the one they have at
 * every large enough size, or 0 if their order depends on the size.
 */
__u64 resolve_nominal_sectors(const struct policy_image *image, bool *is_nominal);

#endif
