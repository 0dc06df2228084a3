/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by ublkpolc from tests/compiler/good/read-only.ublkpol; change that file, not this one. */
#define UBLKPOL_NR_RULES	2
#define UBLKPOL_NR_BACKENDS	1
#define UBLKPOL_NR_LEGS		1

#include "ublkpol_prog.h"

/* Slots of the device's backend table */
enum {
	SLOT_fd7 = 0,
};

/* The targets of the rules: from a position in the target to a sector of a backend */

/* 2: read -> fd7 */
#line 2 "tests/compiler/good/read-only.ublkpol"
static __always_inline int target_0(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fd7); }
#line 19 "policy.bpf.c"

/* 3: default -> error EROFS */
#line 3 "tests/compiler/good/read-only.ublkpol"
static __always_inline int target_1(struct ublkpol_piece *piece) { (void)piece; return -EROFS; }
#line 23 "policy.bpf.c"

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

/* every backend that holds data */
static __always_inline int policy_flush(void *ctx)
{
	(void)ctx;
	return UBLK_BPF_SUBMIT;
}

#include "ublkpol_route.h"

/* The policy as it was written: the loader resolves it for a device */
struct policy_image {
	struct ublkpol_header header;
	struct ublkpol_backend backends[1];
	struct ublkpol_rule rules[2];
	struct ublkpol_range ranges[0];
	__u32 legs[1] __attribute__((aligned(8)));
	char strings[78] __attribute__((aligned(8)));
};

const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {
	.header = {
		.magic = UBLKPOL_MAGIC,
		.version = UBLKPOL_VERSION,
		.image_size = sizeof(struct policy_image),
		.size = 0ULL,
		.block = 0,
		.source = 1,
		.nr_backends = 1, .backends = __builtin_offsetof(struct policy_image, backends),
		.nr_rules = 2, .rules = __builtin_offsetof(struct policy_image, rules),
		.nr_ranges = 0, .ranges = __builtin_offsetof(struct policy_image, ranges),
		.nr_legs = 1, .legs = __builtin_offsetof(struct policy_image, legs),
		.strings_size = 78, .strings = __builtin_offsetof(struct policy_image, strings),
	},
	.backends = {
		{ .name = 39, .path = 0, .line = 2 },
	},
	.rules = {
		{ .ops = 0x1, .action = 0, .first_range = 0, .nr_ranges = 0,
		  .first_leg = 0, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 2, .is_default = 0,
		  .label = 0, .text = 43, .target = 0 },
		{ .ops = 0x1b, .action = 2, .first_range = 0, .nr_ranges = 0,
		  .first_leg = 1, .nr_legs = 0, .chunk = 0, .error = 30,
		  .at = UBLKPOL_NO_OFFSET, .line = 3, .is_default = 1,
		  .label = 0, .text = 55, .target = 1 },
	},
	.ranges = {
	},
	.legs = { 0, },
	.strings =
		"\0"
		"tests/compiler/good/read-only.ublkpol\0"
		"fd7\0"
		"read -> fd7\0"
		"default -> error EROFS",
};
