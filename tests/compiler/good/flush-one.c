/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by ublkpolc from tests/compiler/good/flush-one.ublkpol; change that file, not this one. */
#define UBLKPOL_NR_RULES	3
#define UBLKPOL_NR_BACKENDS	2
#define UBLKPOL_NR_LEGS		3

#include "ublkpol_prog.h"

/* Slots of the device's backend table */
enum {
	SLOT_a = 0,
	SLOT_b = 1,
};

/* The targets of the rules: from a position in the target to a sector of a backend */

/* 2: flush -> b
 * 4: default -> b */
#line 2 "tests/compiler/good/flush-one.ublkpol"
static __always_inline int target_0(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_b); }
#line 20 "policy.bpf.c"

/* 3: LBA 0-50% -> a */
#line 3 "tests/compiler/good/flush-one.ublkpol"
static __always_inline int target_1(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_a); }
#line 24 "policy.bpf.c"

static __always_inline int policy_place(__u32 target, struct ublkpol_piece *piece)
{
	switch (target) {
	case 0:
		return target_0(piece);
	case 1:
		return target_1(piece);
	default:
		return UBLKPOL_UNMATCHED;
	}
}

/* flush -> b */
static __always_inline int policy_flush(void *ctx)
{
	ublkpol_count(0, UBLKPOL_COUNT_FLUSH, 1, 0);
	if (ublkpol_fsync(ctx, SLOT_b))
		return -EIO;
	return UBLK_BPF_SUBMIT;
}

#include "ublkpol_route.h"

/* The policy as it was written: the loader resolves it for a device */
struct policy_image {
	struct ublkpol_header header;
	struct ublkpol_backend backends[2];
	struct ublkpol_rule rules[3];
	struct ublkpol_range ranges[1];
	__u32 legs[3] __attribute__((aligned(8)));
	char strings[82] __attribute__((aligned(8)));
};

const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {
	.header = {
		.magic = UBLKPOL_MAGIC,
		.version = UBLKPOL_VERSION,
		.image_size = sizeof(struct policy_image),
		.size = 0ULL,
		.block = 0,
		.source = 1,
		.nr_backends = 2, .backends = __builtin_offsetof(struct policy_image, backends),
		.nr_rules = 3, .rules = __builtin_offsetof(struct policy_image, rules),
		.nr_ranges = 1, .ranges = __builtin_offsetof(struct policy_image, ranges),
		.nr_legs = 3, .legs = __builtin_offsetof(struct policy_image, legs),
		.strings_size = 82, .strings = __builtin_offsetof(struct policy_image, strings),
	},
	.backends = {
		{ .name = 39, .path = 0, .line = 5 },
		{ .name = 41, .path = 0, .line = 6 },
	},
	.rules = {
		{ .ops = 0x4, .action = 0, .first_range = 0, .nr_ranges = 0,
		  .first_leg = 0, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 2, .is_default = 0,
		  .label = 0, .text = 43, .target = 0 },
		{ .ops = 0x1b, .action = 0, .first_range = 0, .nr_ranges = 1,
		  .first_leg = 1, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 3, .is_default = 0,
		  .label = 0, .text = 54, .target = 1 },
		{ .ops = 0x1b, .action = 0, .first_range = 1, .nr_ranges = 0,
		  .first_leg = 2, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 4, .is_default = 1,
		  .label = 0, .text = 69, .target = 0 },
	},
	.ranges = {
		{ { 0ULL, UBLKPOL_UNIT_BYTES, 5 }, { 50000000000ULL, UBLKPOL_UNIT_PERCENT, 7 } },
	},
	.legs = { 1, 0, 1, },
	.strings =
		"\0"
		"tests/compiler/good/flush-one.ublkpol\0"
		"a\0"
		"b\0"
		"flush -> b\0"
		"LBA 0-50% -> a\0"
		"default -> b",
};
