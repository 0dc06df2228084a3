/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by ublkpolc from tests/compiler/good/warnings.ublkpol; change that file, not this one. */
#define UBLKPOL_NR_RULES	4
#define UBLKPOL_NR_BACKENDS	2
#define UBLKPOL_NR_LEGS		4

#include "ublkpol_prog.h"

/* Slots of the device's backend table */
enum {
	SLOT_fd0 = 0,
	SLOT_fd1 = 1,
};

/* The targets of the rules: from a position in the target to a sector of a backend */

/* 3: LBA 0-25% -> fd0
 * 5: flush -> fd0 */
#line 3 "tests/compiler/good/warnings.ublkpol"
static __always_inline int target_0(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fd0); }
#line 20 "policy.bpf.c"

/* 4: LBA 10-20% -> fd1
 * 6: flush -> fd1 */
#line 4 "tests/compiler/good/warnings.ublkpol"
static __always_inline int target_1(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fd1); }
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

/* flush -> fd0 */
static __always_inline int policy_flush(void *ctx)
{
	ublkpol_count(2, UBLKPOL_COUNT_FLUSH, 1, 0);
	if (ublkpol_fsync(ctx, SLOT_fd0))
		return -EIO;
	return UBLK_BPF_SUBMIT;
}

#include "ublkpol_route.h"

/* The policy as it was written: the loader resolves it for a device */
struct policy_image {
	struct ublkpol_header header;
	struct ublkpol_backend backends[2];
	struct ublkpol_rule rules[4];
	struct ublkpol_range ranges[2];
	__u32 legs[4] __attribute__((aligned(8)));
	char strings[107] __attribute__((aligned(8)));
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
		.nr_rules = 4, .rules = __builtin_offsetof(struct policy_image, rules),
		.nr_ranges = 2, .ranges = __builtin_offsetof(struct policy_image, ranges),
		.nr_legs = 4, .legs = __builtin_offsetof(struct policy_image, legs),
		.strings_size = 107, .strings = __builtin_offsetof(struct policy_image, strings),
	},
	.backends = {
		{ .name = 38, .path = 0, .line = 3 },
		{ .name = 42, .path = 0, .line = 4 },
	},
	.rules = {
		{ .ops = 0x1b, .action = 0, .first_range = 0, .nr_ranges = 1,
		  .first_leg = 0, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 3, .is_default = 0,
		  .label = 0, .text = 46, .target = 0 },
		{ .ops = 0x1b, .action = 0, .first_range = 1, .nr_ranges = 1,
		  .first_leg = 1, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 4, .is_default = 0,
		  .label = 0, .text = 63, .target = 1 },
		{ .ops = 0x4, .action = 0, .first_range = 2, .nr_ranges = 0,
		  .first_leg = 2, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 5, .is_default = 0,
		  .label = 0, .text = 81, .target = 0 },
		{ .ops = 0x4, .action = 0, .first_range = 2, .nr_ranges = 0,
		  .first_leg = 3, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 6, .is_default = 0,
		  .label = 0, .text = 94, .target = 1 },
	},
	.ranges = {
		{ { 0ULL, UBLKPOL_UNIT_BYTES, 5 }, { 25000000000ULL, UBLKPOL_UNIT_PERCENT, 7 } },
		{ { 10000000000ULL, UBLKPOL_UNIT_PERCENT, 5 }, { 20000000000ULL, UBLKPOL_UNIT_PERCENT, 8 } },
	},
	.legs = { 0, 1, 0, 1, },
	.strings =
		"\0"
		"tests/compiler/good/warnings.ublkpol\0"
		"fd0\0"
		"fd1\0"
		"LBA 0-25% -> fd0\0"
		"LBA 10-20% -> fd1\0"
		"flush -> fd0\0"
		"flush -> fd1",
};
