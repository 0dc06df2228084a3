/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by ublkpolc from tests/compiler/good/everything.ublkpol; change that file, not this one. */
#define UBLKPOL_NR_RULES	8
#define UBLKPOL_NR_BACKENDS	7
#define UBLKPOL_NR_LEGS		7

#include "ublkpol_prog.h"

/* Slots of the device's backend table */
enum {
	SLOT_fast = 0,
	SLOT_slow = 1,
	SLOT_fd0 = 2,
	SLOT_fd1 = 3,
	SLOT_fd2 = 4,
	SLOT_fd3 = 5,
	SLOT_fd4 = 6,
};

/* The targets of the rules: from a position in the target to a sector of a backend */

/* 8: head: LBA 0-1MiB, 50-50.5% -> fast @ 16KiB */
#line 8 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_0(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fast); }
#line 25 "policy.bpf.c"

/* 9: LBA 2-3GiB -> stripe 128 { fd0 fd1 fd2 } @ 1GiB */
#line 9 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_1(struct ublkpol_piece *piece) { return UBLKPOL_TO_STRIPE(piece, 128, 1, 3); }
#line 29 "policy.bpf.c"

/* 10: LBA 8388608-10485760 read -> error EIO
 * 16: flush -> error EIO */
#line 10 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_2(struct ublkpol_piece *piece) { (void)piece; return -EIO; }
#line 33 "policy.bpf.c"

/* 10: LBA 5GiB-6GiB write -> error ENOSPC */
#line 10 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_3(struct ublkpol_piece *piece) { (void)piece; return -ENOSPC; }
#line 37 "policy.bpf.c"

/* 11: discard, write-zeroes -> error EOPNOTSUPP */
#line 11 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_4(struct ublkpol_piece *piece) { (void)piece; return -EOPNOTSUPP; }
#line 41 "policy.bpf.c"

/* 12: rest: LBA 8GiB-end read,write -> stripe 64KiB { fd3 fd4 } */
#line 12 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_5(struct ublkpol_piece *piece) { return UBLKPOL_TO_STRIPE(piece, 128, 4, 2); }
#line 45 "policy.bpf.c"

/* 17: default -> slow */
#line 17 "tests/compiler/good/everything.ublkpol"
static __always_inline int target_6(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_slow); }
#line 49 "policy.bpf.c"

static __always_inline int policy_place(__u32 target, struct ublkpol_piece *piece)
{
	switch (target) {
	case 0:
		return target_0(piece);
	case 1:
		return target_1(piece);
	case 2:
		return target_2(piece);
	case 3:
		return target_3(piece);
	case 4:
		return target_4(piece);
	case 5:
		return target_5(piece);
	case 6:
		return target_6(piece);
	default:
		return UBLKPOL_UNMATCHED;
	}
}

/* flush -> error EIO */
static __always_inline int policy_flush(void *ctx)
{
	ublkpol_count(6, UBLKPOL_COUNT_FLUSH, 1, 0);
	(void)ctx;
	return -EIO;
}

#include "ublkpol_route.h"

/* The policy as it was written: the loader resolves it for a device */
struct policy_image {
	struct ublkpol_header header;
	struct ublkpol_backend backends[7];
	struct ublkpol_rule rules[8];
	struct ublkpol_range ranges[6];
	__u32 legs[7] __attribute__((aligned(8)));
	char strings[402] __attribute__((aligned(8)));
};

const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {
	.header = {
		.magic = UBLKPOL_MAGIC,
		.version = UBLKPOL_VERSION,
		.image_size = sizeof(struct policy_image),
		.size = 68719476736ULL,
		.block = 4096,
		.source = 1,
		.nr_backends = 7, .backends = __builtin_offsetof(struct policy_image, backends),
		.nr_rules = 8, .rules = __builtin_offsetof(struct policy_image, rules),
		.nr_ranges = 6, .ranges = __builtin_offsetof(struct policy_image, ranges),
		.nr_legs = 7, .legs = __builtin_offsetof(struct policy_image, legs),
		.strings_size = 402, .strings = __builtin_offsetof(struct policy_image, strings),
	},
	.backends = {
		{ .name = 40, .path = 45, .line = 4 },
		{ .name = 66, .path = 0, .line = 5 },
		{ .name = 71, .path = 0, .line = 9 },
		{ .name = 75, .path = 0, .line = 9 },
		{ .name = 79, .path = 0, .line = 9 },
		{ .name = 83, .path = 0, .line = 13 },
		{ .name = 87, .path = 0, .line = 14 },
	},
	.rules = {
		{ .ops = 0x1b, .action = 0, .first_range = 0, .nr_ranges = 2,
		  .first_leg = 0, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = 16384ULL, .line = 8, .is_default = 0,
		  .label = 91, .text = 96, .target = 0 },
		{ .ops = 0x1b, .action = 1, .first_range = 2, .nr_ranges = 1,
		  .first_leg = 1, .nr_legs = 3, .chunk = 65536, .error = 0,
		  .at = 1073741824ULL, .line = 9, .is_default = 0,
		  .label = 0, .text = 139, .target = 1 },
		{ .ops = 0x1, .action = 2, .first_range = 3, .nr_ranges = 1,
		  .first_leg = 4, .nr_legs = 0, .chunk = 0, .error = 5,
		  .at = UBLKPOL_NO_OFFSET, .line = 10, .is_default = 0,
		  .label = 0, .text = 187, .target = 2 },
		{ .ops = 0x1a, .action = 2, .first_range = 4, .nr_ranges = 1,
		  .first_leg = 4, .nr_legs = 0, .chunk = 0, .error = 28,
		  .at = UBLKPOL_NO_OFFSET, .line = 10, .is_default = 0,
		  .label = 0, .text = 226, .target = 3 },
		{ .ops = 0x18, .action = 2, .first_range = 5, .nr_ranges = 0,
		  .first_leg = 4, .nr_legs = 0, .chunk = 0, .error = 95,
		  .at = UBLKPOL_NO_OFFSET, .line = 11, .is_default = 0,
		  .label = 0, .text = 262, .target = 4 },
		{ .ops = 0x1b, .action = 1, .first_range = 5, .nr_ranges = 1,
		  .first_leg = 4, .nr_legs = 2, .chunk = 65536, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 12, .is_default = 0,
		  .label = 304, .text = 309, .target = 5 },
		{ .ops = 0x4, .action = 2, .first_range = 6, .nr_ranges = 0,
		  .first_leg = 6, .nr_legs = 0, .chunk = 0, .error = 5,
		  .at = UBLKPOL_NO_OFFSET, .line = 16, .is_default = 0,
		  .label = 0, .text = 367, .target = 2 },
		{ .ops = 0x1b, .action = 0, .first_range = 6, .nr_ranges = 0,
		  .first_leg = 6, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 17, .is_default = 1,
		  .label = 0, .text = 386, .target = 6 },
	},
	.ranges = {
		{ { 0ULL, UBLKPOL_UNIT_BYTES, 11 }, { 1048576ULL, UBLKPOL_UNIT_BYTES, 13 } },
		{ { 50000000000ULL, UBLKPOL_UNIT_PERCENT, 19 }, { 50500000000ULL, UBLKPOL_UNIT_PERCENT, 22 } },
		{ { 2147483648ULL, UBLKPOL_UNIT_BYTES, 5 }, { 3221225472ULL, UBLKPOL_UNIT_BYTES, 7 } },
		{ { 4294967296ULL, UBLKPOL_UNIT_BYTES, 5 }, { 5368709120ULL, UBLKPOL_UNIT_BYTES, 13 } },
		{ { 5368709120ULL, UBLKPOL_UNIT_BYTES, 45 }, { 6442450944ULL, UBLKPOL_UNIT_BYTES, 50 } },
		{ { 8589934592ULL, UBLKPOL_UNIT_BYTES, 11 }, { 0ULL, UBLKPOL_UNIT_END, 16 } },
	},
	.legs = { 0, 2, 3, 4, 5, 6, 1, },
	.strings =
		"\0"
		"tests/compiler/good/everything.ublkpol\0"
		"fast\0"
		"/dev/disk/by-id/fast\0"
		"slow\0"
		"fd0\0"
		"fd1\0"
		"fd2\0"
		"fd3\0"
		"fd4\0"
		"head\0"
		"head: LBA 0-1MiB, 50-50.5% -> fast @ 16KiB\0"
		"LBA 2-3GiB -> stripe 128 { fd0 fd1 fd2 } @ 1GiB\0"
		"LBA 8388608-10485760 read -> error EIO\0"
		"LBA 5GiB-6GiB write -> error ENOSPC\0"
		"discard, write-zeroes -> error EOPNOTSUPP\0"
		"rest\0"
		"rest: LBA 8GiB-end read,write -> stripe 64KiB { fd3 fd4 }\0"
		"flush -> error EIO\0"
		"default -> slow",
};
