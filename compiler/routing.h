/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COMPILER_ROUTING_H
#define COMPILER_ROUTING_H

/*
 * The routing plan: which rule serves which sectors, and where on the backends
 * these lie. This is the view of the resolved policy that people and other
 * programs get; the program of the policy has tables of its own.
 */
#include <stdbool.h>
#include <stdio.h>

#include "arena.h"
#include "plan.h"
#include "policy_image.h"
#include "resolve.h"

/* How positions are written */
enum routing_scale {
	ROUTING_EXACT, /* in bytes */
	ROUTING_PERCENT, /* the size of the device makes no difference, and is made up */
	ROUTING_OPEN, /* in bytes, but the end of the device is made up */
};

/* A stretch of a backend, 512-byte sectors */
struct routing_place {
	__u32 backend;
	__u64 first;
	__u64 last; /* half open */
	bool is_open; /* ends where the device ends, which is not known */
	bool is_unknown; /* of what is needed: a concat has a leg here, whose size is not known */
};

/* One rule that may serve a segment */
struct routing_choice {
	const struct ublkpol_rule *rule; /* NULL: no rule matches, requests fail */
	const struct ublkpol_target *target; /* of @rule, or the leg of its concat */
	bool is_conditional; /* if not, nothing behind it is tried */
	const struct routing_place *places; /* one for each backend; none of zero, error ... */
	unsigned int nr_places;
};

struct routing_segment {
	__u64 start; /* LBA, 512-byte sectors */
	__u64 end; /* half open */
	const struct routing_choice *choices; /* in the order in which they are tried */
	unsigned int nr_choices; /* 1 or more */
};

/* Operations that are routed alike */
struct routing_part {
	const char *name; /* such as "reads and writes" */
	unsigned int ops; /* UBLKPOL_OP_* */
	const struct routing_segment *segments; /* from 0 to the end of the device */
	unsigned int nr_segments;
};

struct routing {
	const struct policy_image *image;
	__u64 dev_sectors;
	__u32 block; /* bytes */
	enum routing_scale scale;
	struct routing_part parts[UBLKPOL_NR_DIRS];
	unsigned int nr_parts;
	struct routing_place *needed; /* by backend: up to the last sector that is used */
};

/**
 * routing_build() - the plan of a policy that was laid out on a device
 * @layout: of @image; may be freed afterwards
 * @scale: what its size is worth
 */
void routing_build(struct routing *routing, const struct policy_image *image,
		   const struct resolve_layout *layout, enum routing_scale scale,
		   struct arena *arena);

/** routing_string() - a string of the policy */
static inline const char *routing_string(const struct routing *routing, __u32 string)
{
	return routing->image->strings + string;
}

#define ROUTING_TEXT_SIZE 32

/** routing_position() - an LBA in words: "64KiB", "12.5%", "end"; returns @text */
const char *routing_position(const struct routing *routing, __u64 sector,
			     char text[ROUTING_TEXT_SIZE]);

/** routing_tick() - the same for a picture: long numbers are rounded to two decimals */
const char *routing_tick(const struct routing *routing, __u64 sector, char text[ROUTING_TEXT_SIZE]);

/** routing_place_end() - the end of a place in words; returns @text */
const char *routing_place_end(const struct routing *routing, const struct routing_place *place,
			      char text[ROUTING_TEXT_SIZE]);

/** routing_layers() - the largest number of choices that a segment of @part has */
unsigned int routing_layers(const struct routing_part *part);

/** routing_target() - what a choice does, in a few words: "fd0", "stripe fd0 fd1", "error EIO" */
const char *routing_target(const struct routing *routing, const struct routing_choice *choice,
			   struct arena *arena);

/** routing_print() - one line for each choice of each segment */
void routing_print(FILE *out, const struct routing *routing);

/** routing_print_json() - the plan for programs; the format is described in ublkpolc(1) */
void routing_print_json(FILE *out, const struct routing *routing, const struct plan *plan);

#endif
