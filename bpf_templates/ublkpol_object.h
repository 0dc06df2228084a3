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
#define UBLKPOL_VERSION 3

#define UBLKPOL_IMAGE_SECTION  ".rodata.policy" /* image, not loaded */
#define UBLKPOL_CONFIG_SECTION ".rodata.config" /* struct ublkpol_config */
#define UBLKPOL_PARAMS_SECTION ".rodata.params" /* __u64 for each parameter */
#define UBLKPOL_SEARCH_SECTION ".data.search" /* struct ublkpol_search */
#define UBLKPOL_SEGMENTS_MAP   "ublkpol_segs" /* struct ublkpol_segment */
#define UBLKPOL_INDEX_MAP      "ublkpol_index" /* struct ublkpol_bucket */
#define UBLKPOL_TREE_MAP       "ublkpol_tree" /* struct ublkpol_node */
#define UBLKPOL_CHOICES_MAP    "ublkpol_choices" /* struct ublkpol_choice */
#define UBLKPOL_LEGS_MAP       "ublkpol_legs" /* __u32, the leg table */
#define UBLKPOL_COUNTERS_MAP   "ublkpol_stats" /* struct ublkpol_counters */
/* These are there only if the policy needs them */
#define UBLKPOL_TICKS_MAP	 "ublkpol_ticks" /* __u64 for each rule: "every" */
#define UBLKPOL_LIMITS_MAP	 "ublkpol_limits" /* struct ublkpol_limiter for each modifier set */
#define UBLKPOL_MIRRORS_MAP	 "ublkpol_mirrors" /* struct ublkpol_mirror */
#define UBLKPOL_TRACE_MAP	 "ublkpol_trace" /* ring buffer of struct ublkpol_trace */
#define UBLKPOL_PROGRAM		 "ublkpol_route"
#define UBLKPOL_PROGRAM_SECTION	 "ublk"
#define UBLKPOL_COMPLETE	 "ublkpol_complete" /* only with mirrors */
#define UBLKPOL_COMPLETE_SECTION "ublk/complete"

/* Bits of ublkpol_rule.ops */
#define UBLKPOL_OP_READ		(1U << 0)
#define UBLKPOL_OP_WRITE	(1U << 1)
#define UBLKPOL_OP_FLUSH	(1U << 2)
#define UBLKPOL_OP_DISCARD	(1U << 3)
#define UBLKPOL_OP_WRITE_ZEROES (1U << 4)
#define UBLKPOL_NR_OPS		5
#define UBLKPOL_WRITE_OPS	(UBLKPOL_OP_WRITE | UBLKPOL_OP_DISCARD | UBLKPOL_OP_WRITE_ZEROES)

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

/* Ranges that a policy names; @nr_ranges may be replaced before the policy is resolved */
struct ublkpol_set {
	__u32 name; /* string */
	__u32 line;
	__u32 first_range; /* in the range table */
	__u32 nr_ranges;
};

#define UBLKPOL_NO_SET (~0U)

/* A part of a list: ranges of its own, or all ranges of a set */
struct ublkpol_part {
	__u32 set; /* index, or UBLKPOL_NO_SET */
	__u32 first_range; /* without a set: in the range table */
	__u32 nr_ranges;
	__u32 column; /* of the part in the policy file */
};

/* One LBA condition: its parts in the order they are written in */
struct ublkpol_list {
	__u32 first_part;
	__u32 nr_parts;
};

enum ublkpol_param_unit {
	UBLKPOL_PARAM_NUMBER,
	UBLKPOL_PARAM_BYTES,
	UBLKPOL_PARAM_PERCENT, /* 1e-9 percent */
	UBLKPOL_PARAM_TIME, /* ns */
	UBLKPOL_PARAM_BYTE_RATE, /* bytes a second */
	UBLKPOL_PARAM_IOPS, /* requests a second */
	UBLKPOL_NR_PARAM_UNITS,
};

/* What 32 random bits are compared with, for a chance in 1e-9 percent */
#define UBLKPOL_CHANCE_THRESHOLD(percent) \
	((__u64)(percent) / 100000000000ULL ? 1ULL << 32 : ((__u64)(percent) << 26) / 1562500000ULL)

/* Where the value stands in the policy, and what may stand there */
#define UBLKPOL_PARAM_POWER_OF_TWO (1U << 0)
#define UBLKPOL_PARAM_NOT_ZERO	   (1U << 1)

struct ublkpol_param {
	__u64 value;
	__u64 max; /* largest value that makes sense where the policy uses it */
	__u32 name; /* string */
	__u32 unit; /* enum ublkpol_param_unit */
	__u32 flags; /* UBLKPOL_PARAM_* */
	__u32 line;
};

enum ublkpol_action {
	UBLKPOL_ACTION_BACKEND,
	UBLKPOL_ACTION_STRIPE,
	UBLKPOL_ACTION_ERROR,
	UBLKPOL_ACTION_CONCAT, /* the loader puts BACKEND targets in its place */
	UBLKPOL_ACTION_MIRROR,
	UBLKPOL_ACTION_HASH,
	UBLKPOL_ACTION_ZERO,
	UBLKPOL_ACTION_DROP,
	UBLKPOL_ACTION_USER,
	UBLKPOL_NR_ACTIONS,
};

enum ublkpol_read_choice {
	UBLKPOL_READ_FIRST,
	UBLKPOL_READ_ROUND_ROBIN,
	UBLKPOL_READ_BY_LBA, /* @chunk by @chunk */
	UBLKPOL_NR_READ_CHOICES,
};

/*
 * What a rule does; rules that do the same share a target, and its code in the
 * program. For each leg of a CONCAT the table has a target BACKEND.
 */
struct ublkpol_target {
	__u32 action; /* enum ublkpol_action */
	__u32 first_leg; /* in the leg table: backend indices */
	__u32 nr_legs; /* 1 for BACKEND; of a HASH: one entry for each share */
	__u32 chunk; /* stripe, hash, mirror that reads by LBA: bytes */
	__s32 error; /* error: positive errno */
	__u32 read_choice; /* mirror: enum ublkpol_read_choice */
	__u32 degrade; /* mirror: 1 if a write is done when one leg took it */
	__u32 mirror; /* mirror: index in the mirrors' map */
};

#define UBLKPOL_NO_OFFSET (~0ULL)

/*
 * What a rule does with a request that lies (or does not lie) in its LBA
 * lists: one of these, or the number of a condition of the program, which may
 * or may not hold. Conditions are numbered for each direction, in the order
 * of the rules.
 */
#define UBLKPOL_NEVER	       (~0U)
#define UBLKPOL_ALWAYS	       (~0U - 1)
#define UBLKPOL_MAX_CONDITIONS 64
#define UBLKPOL_MAX_MIRRORS    64 /* of different backends */
#define UBLKPOL_MAX_LISTS      6 /* of one rule */

struct ublkpol_rule {
	__u32 ops; /* UBLKPOL_OP_*, the operations that it can match */
	__u32 target; /* index */
	__u32 first_list; /* in the list table: its LBA conditions */
	__u32 nr_lists;
	/*
	 * For reads and for writes, in the outcome table: 1 << nr_lists entries.
	 * Bit l of the entry's place: the LBA is in list l.
	 */
	__u32 first_outcome[2];
	__u32 flush; /* outcome for flushes */
	__u32 modifiers; /* number of the rule's modifiers in the program, or 0 */
	__u64 at; /* "@ offset" in bytes, or UBLKPOL_NO_OFFSET; then nr_lists is 1 */
	__u32 line; /* of the rule in the policy file, from 1 */
	__u32 source; /* string: name of that file */
	__u32 is_default; /* written as "default" */
	__u32 label; /* string: the label, or "" */
	__u32 text; /* string: the rule as it was written */
	__u32 counter; /* string: of "count NAME", or "" */
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
	UBLKPOL_CHECK_UNFLUSHED,
	UBLKPOL_NR_CHECKS,
};

#define UBLKPOL_NO_CHECK UBLKPOL_NR_CHECKS

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
	__u32 nr_conditions[2]; /* of the program, for reads and for writes */
	__u32 nr_mirrors; /* entries of the mirrors' map */
	__u32 nr_modifiers; /* numbers of modifiers, 0 not counted */
	__u32 nr_backends, backends;
	__u32 nr_rules, rules;
	__u32 nr_targets, targets;
	__u32 nr_lists, lists;
	__u32 nr_parts, parts;
	__u32 nr_outcomes, outcomes; /* __u32 each */
	__u32 nr_sets, sets;
	__u32 nr_params, params;
	__u32 nr_legs, legs; /* __u32 each */
	__u32 nr_ranges, ranges;
	__u32 strings_size, strings;
};

/*
 * One entry of the segment table: sectors from @start up to @end. Of the
 * conditional rules that cover them, those in @mask, the first one whose
 * condition holds decides; if none does, @rule. The byte at LBA p lies at
 * position p + delta of the target's backend or composite. Entries for reads
 * come first, then those for writes (which discard and write-zeroes follow).
 * Each part is sorted and covers the device from 0 to its end; sectors that no
 * rule matches have UBLKPOL_NO_RULE.
 */
struct ublkpol_segment {
	__u64 start; /* 512-byte sectors */
	__u64 end; /* 512-byte sectors */
	__s64 delta; /* 512-byte sectors */
	__u64 mask; /* bit c: condition c */
	__u32 rule; /* index, or UBLKPOL_NO_RULE */
	__u32 target; /* of that rule, or UBLKPOL_NO_TARGET */
	__u32 modifiers; /* of that rule, or 0 */
	__u32 first_choice; /* in the choice table: one entry for each bit of @mask */
	__u32 mirror; /* where that rule reads: index plus 1, or 0 */
	__u32 retry_mirror; /* where any rule reads or writes here, if that is one mirror */
	__u32 degrade; /* of that mirror, in the write part */
	__u32 reserved;
};

/* A conditional rule in a segment; the fields as in struct ublkpol_segment */
struct ublkpol_choice {
	__s64 delta;
	__u32 rule;
	__u32 target;
	__u32 modifiers;
	__u32 mirror;
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
 * follow a search to every single entry. Each part of the segment table has a
 * search tree, whatever the sizes of its segments are, and an index into the
 * tree: a bucket for every 1 << shift sectors, which says how low in the tree
 * the search for one of them may begin: where all of them are in one segment,
 * there is nothing to search.
 */
struct ublkpol_search {
	__u32 first_bucket[UBLKPOL_NR_DIRS];
	__u32 shift[UBLKPOL_NR_DIRS];
};

struct ublkpol_bucket {
	__u32 at; /* the segment, or the lowest node that has all segments of the bucket below */
	__u32 level; /* of that node; 1: its children are segments; 0: it is a segment */
};

#define UBLKPOL_NODE_CHILDREN 64 /* a power of two */
#define UBLKPOL_MAX_LEVELS    6 /* of nodes: enough for 2^32 segments */

struct ublkpol_node {
	__u64 first; /* index of the first child: a segment or a node */
	/* The last sector of all children but the last; INT64_MAX: there is no next one */
	__s64 last_sector[UBLKPOL_NODE_CHILDREN - 1];
};

/*
 * bpf_ublk_queue_sqe() has no number that every kernel agrees on. The program
 * calls this one, in instructions BPF_JMP | BPF_CALL with src_reg 0, and the
 * loader puts the running kernel's number in its place.
 */
#define UBLKPOL_HELPER_SENTINEL 0x5b1c

/*
 * State of a mirror: which of its legs may be used. Mirrors of the same
 * backends share it. Survives a new program if the loader reuses the map.
 */
struct ublkpol_mirror {
	__u64 legs; /* bit s: backend s; set by the loader, 0 before */
	__u64 failed; /* those that failed a write: neither read nor written */
	__u64 unsynced; /* those that are no copy of the others yet: written, not read */
	__u64 turn; /* reads so far, of a mirror that reads in turn */
	__u64 read_errors[64]; /* by backend */
	__u64 write_errors[64];
};

/* State of a limit, in ns of the monotonic clock */
struct ublkpol_limiter {
	__u64 next_byte; /* when the bytes of the next request are free to go */
	__u64 next_request;
};

/* What "trace" says of a request, once for each stretch that the rule serves */
struct ublkpol_trace {
	__u64 time; /* ns of the monotonic clock */
	__u64 sector; /* 512-byte sectors: where the request begins */
	__u32 sectors; /* of the request */
	__u32 rule; /* index */
	__u32 op; /* UBLK_IO_OP_* */
	__u32 flags; /* UBLK_IO_F_* */
	__u32 queue;
	__u32 ioprio;
};

/*
 * Per-CPU counters, indexed by operation. Entry r of the map is rule r, entry
 * nr_rules counts requests that no rule matched, entry nr_rules + 1 + b is
 * backend b. A rule counts a request once for each stretch of it that the
 * rule serves, a backend counts SQEs.
 */
enum ublkpol_counter {
	UBLKPOL_COUNT_READ,
	UBLKPOL_COUNT_WRITE,
	UBLKPOL_COUNT_FLUSH,
	UBLKPOL_COUNT_DISCARD,
	UBLKPOL_COUNT_WRITE_ZEROES,
};

struct ublkpol_counters {
	__u64 requests[UBLKPOL_NR_OPS];
	__u64 bytes[UBLKPOL_NR_OPS];
};

#endif
