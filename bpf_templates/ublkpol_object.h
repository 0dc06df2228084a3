/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_OBJECT_H
#define UBLKPOL_OBJECT_H

/*
 * What a compiled policy (FILE.bpf.o) carries besides its program: the policy
 * itself in symbolic form, in section ".rodata.policy". Boundaries stay
 * symbolic because one object serves every device size; the loader resolves
 * them (runtime/resolve.c) and fills the program's segment table.
 *
 * The image is a struct ublkpol_header, then the tables it points to. Offsets
 * are bytes from the start of the image; strings are offsets into the string
 * table, NUL-terminated. Shared by the compiler, the loader and the program.
 */
#include <linux/types.h>

#define UBLKPOL_MAGIC	0x4c4f504b4c425500ULL
#define UBLKPOL_VERSION 1

#define UBLKPOL_IMAGE_SECTION	".rodata.policy" /* image, not loaded */
#define UBLKPOL_CONFIG_SECTION	".rodata.config" /* struct ublkpol_config */
#define UBLKPOL_SEARCH_SECTION	".data.search" /* struct ublkpol_search */
#define UBLKPOL_SEGMENTS_MAP	"ublkpol_segs" /* struct ublkpol_segment */
#define UBLKPOL_LEGS_MAP	"ublkpol_legs" /* __u32, the leg table */
#define UBLKPOL_COUNTERS_MAP	"ublkpol_stats" /* struct ublkpol_counters */
#define UBLKPOL_PROGRAM		"ublkpol_route"
#define UBLKPOL_PROGRAM_SECTION "ublk"

/* Bits of ublkpol_rule.ops */
#define UBLKPOL_OP_READ		(1U << 0)
#define UBLKPOL_OP_WRITE	(1U << 1)
#define UBLKPOL_OP_FLUSH	(1U << 2)
#define UBLKPOL_OP_DISCARD	(1U << 3)
#define UBLKPOL_OP_WRITE_ZEROES (1U << 4)
#define UBLKPOL_NR_OPS		5

enum ublkpol_unit {
	UBLKPOL_UNIT_BYTES, /* value: bytes */
	UBLKPOL_UNIT_PERCENT, /* value: 1e-9 percent, 0..100e9 */
	UBLKPOL_UNIT_END, /* end of the device; value unused */
};

struct ublkpol_bound {
	__u64 value;
	__u32 unit; /* enum ublkpol_unit */
	__u32 column; /* of the source text, for messages */
};

/* Half open */
struct ublkpol_range {
	struct ublkpol_bound first;
	struct ublkpol_bound last;
};

enum ublkpol_action {
	UBLKPOL_ACTION_BACKEND,
	UBLKPOL_ACTION_STRIPE,
	UBLKPOL_ACTION_ERROR,
};

#define UBLKPOL_NO_OFFSET (~0ULL)

struct ublkpol_rule {
	__u32 ops; /* UBLKPOL_OP_*, the operations it matches */
	__u32 action; /* enum ublkpol_action */
	__u32 first_range; /* in the range table */
	__u32 nr_ranges; /* 0: every LBA */
	__u32 first_leg; /* in the leg table: backend indices */
	__u32 nr_legs; /* 1 for BACKEND, 0 for ERROR */
	__u32 chunk; /* stripe: bytes */
	__s32 error; /* error: positive errno */
	__u64 at; /* "@ offset" in bytes, or UBLKPOL_NO_OFFSET */
	__u32 line; /* of the rule in the policy file, from 1 */
	__u32 is_default; /* written as "default" */
	__u32 label; /* string: the label, or "" */
	__u32 text; /* string: the rule as it was written */
	__u32 target; /* which code of the program: equal actions share it */
	__u32 reserved;
};

struct ublkpol_backend {
	__u32 name; /* string */
	__u32 path; /* string: the default path, or "" */
	__u32 line; /* of its first use or declaration */
	__u32 reserved;
};

/* The checks that can be switched off; the numbers are part of the format */
enum ublkpol_check {
	UBLKPOL_CHECK_COHERENCE,
	UBLKPOL_CHECK_ALIAS,
	UBLKPOL_CHECK_OVERCOMMIT,
	UBLKPOL_CHECK_GAP,
	UBLKPOL_CHECK_MISSING_DEFAULT,
	UBLKPOL_CHECK_OVERLAP,
	UBLKPOL_CHECK_SHADOWED,
	UBLKPOL_CHECK_UNREACHABLE_RANGE,
	UBLKPOL_CHECK_UNALIGNED,
	UBLKPOL_CHECK_UNUSED_BACKEND,
	UBLKPOL_CHECK_UNUSED_SET,
	UBLKPOL_CHECK_UNUSED_PARAM,
	UBLKPOL_NR_CHECKS,
};

/* Bit c: enum ublkpol_check c; one that is neither off nor an error warns */
struct ublkpol_check_levels {
	__u32 off;
	__u32 errors;
};

struct ublkpol_header {
	__u64 magic;
	__u32 version;
	__u32 image_size;
	__u64 size; /* "size" declaration in bytes, or 0 */
	__u32 block; /* "block" declaration in bytes, or 0 */
	__u32 source; /* string: name of the policy file */
	struct ublkpol_check_levels checks; /* as the compiler was told */
	__u32 nr_backends, backends;
	__u32 nr_rules, rules;
	__u32 nr_ranges, ranges;
	__u32 nr_legs, legs;
	__u32 strings_size, strings;
};

/*
 * One entry of the segment table: sectors from @start up to @end belong to
 * @rule. The byte at LBA p lies at position p + delta of the rule's backend or
 * composite. Entries for reads come first, then those for writes (which
 * discard and write-zeroes follow). Each part is sorted and covers the device
 * from 0 to its end; sectors that no rule matches have UBLKPOL_NO_RULE.
 */
struct ublkpol_segment {
	__u64 start; /* 512-byte sectors */
	__u64 end; /* 512-byte sectors */
	__s64 delta; /* 512-byte sectors */
	__u32 rule; /* index, or UBLKPOL_NO_RULE */
	__u32 target; /* of that rule, or UBLKPOL_NO_TARGET */
};

#define UBLKPOL_NO_RULE	  (~0U)
#define UBLKPOL_NO_TARGET (~0U)

/* Which part of the segment table */
enum ublkpol_direction {
	UBLKPOL_DIR_READ,
	UBLKPOL_DIR_WRITE,
	UBLKPOL_NR_DIRS,
};

#define UBLKPOL_INLINE_SEGMENTS 8

/*
 * Set by the loader before the program is loaded; constant to the verifier.
 * A part of at most UBLKPOL_INLINE_SEGMENTS entries is repeated in @inlined
 * (the rest of it zero), where the program finds it without a map lookup.
 */
struct ublkpol_config {
	__u64 dev_sectors;
	__u32 nr_read_segments;
	__u32 nr_write_segments;
	struct ublkpol_segment inlined[UBLKPOL_NR_DIRS][UBLKPOL_INLINE_SEGMENTS];
};

/*
 * Set by the loader, not constant to the verifier: with constants it would
 * follow a binary search to every single entry. Entries of the segment table.
 */
struct ublkpol_search {
	__u32 first[UBLKPOL_NR_DIRS];
	__u32 end[UBLKPOL_NR_DIRS];
};

/*
 * bpf_ublk_queue_sqe() has no number that every kernel agrees on. The program
 * calls this one, in instructions BPF_JMP | BPF_CALL with src_reg 0, and the
 * loader puts the running kernel's number in its place.
 */
#define UBLKPOL_HELPER_SENTINEL 0x5b1c

/*
 * Per-CPU counters, indexed by operation. Entry r of the map is rule r, entry
 * nr_rules counts requests that no rule matched, entry nr_rules + 1 + b is
 * backend b. A rule counts a request once for each stretch of it that the
 * rule serves, a backend counts SQEs.
 */
struct ublkpol_counters {
	__u64 requests[UBLKPOL_NR_OPS];
	__u64 bytes[UBLKPOL_NR_OPS];
};

#endif
