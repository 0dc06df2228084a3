/* SPDX-License-Identifier: GPL-2.0-only */
/* Written by ublkpolc from tests/compiler/good/shared-targets.ublkpol; change that file, not this one. */
#define UBLKPOL_NR_RULES	5
#define UBLKPOL_NR_BACKENDS	2
#define UBLKPOL_NR_LEGS		4

#include "ublkpol_prog.h"

/* Slots of the device's backend table */
enum {
	SLOT_fd0 = 0,
	SLOT_fd1 = 1,
};

/* The targets of the rules: from a position in the target to a sector of a backend */

/* 3: LBA 0-64MiB -> fd0
 * 5: LBA 128MiB-192MiB -> fd0 */
#line 3 "tests/compiler/good/shared-targets.ublkpol"
static __always_inline int target_0(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fd0); }
#line 20 "policy.bpf.c"

/* 4: LBA 64MiB-128MiB -> fd1 @ 1GiB
 * 6: LBA 192MiB-256MiB -> fd1 @ 2GiB */
#line 4 "tests/compiler/good/shared-targets.ublkpol"
static __always_inline int target_1(struct ublkpol_piece *piece) { return UBLKPOL_TO_BACKEND(piece, SLOT_fd1); }
#line 24 "policy.bpf.c"

/* 7: default -> error ENOSPC */
#line 7 "tests/compiler/good/shared-targets.ublkpol"
static __always_inline int target_2(struct ublkpol_piece *piece) { (void)piece; return -ENOSPC; }
#line 28 "policy.bpf.c"

static __always_inline int policy_place(__u32 target, struct ublkpol_piece *piece)
{
	switch (target) {
	case 0:
		return target_0(piece);
	case 1:
		return target_1(piece);
	case 2:
		return target_2(piece);
	default:
		return UBLKPOL_UNMATCHED;
	}
}

/* every backend that holds data */
static __always_inline int policy_flush(void *ctx)
{
	if (ublkpol_fsync(ctx, SLOT_fd0))
		return -EIO;
	if (ublkpol_fsync(ctx, SLOT_fd1))
		return -EIO;
	return UBLK_BPF_SUBMIT;
}

#include "ublkpol_route.h"

/* The policy as it was written: the loader resolves it for a device */
struct policy_image {
	struct ublkpol_header header;
	struct ublkpol_backend backends[2];
	struct ublkpol_rule rules[5];
	struct ublkpol_range ranges[4];
	__u32 legs[4] __attribute__((aligned(8)));
	char strings[183] __attribute__((aligned(8)));
};

const struct policy_image ublkpol_image SEC(UBLKPOL_IMAGE_SECTION) = {
	.header = {
		.magic = UBLKPOL_MAGIC,
		.version = UBLKPOL_VERSION,
		.image_size = sizeof(struct policy_image),
		.size = 1073741824ULL,
		.block = 0,
		.source = 1,
		.nr_backends = 2, .backends = __builtin_offsetof(struct policy_image, backends),
		.nr_rules = 5, .rules = __builtin_offsetof(struct policy_image, rules),
		.nr_ranges = 4, .ranges = __builtin_offsetof(struct policy_image, ranges),
		.nr_legs = 4, .legs = __builtin_offsetof(struct policy_image, legs),
		.strings_size = 183, .strings = __builtin_offsetof(struct policy_image, strings),
	},
	.backends = {
		{ .name = 44, .path = 0, .line = 3 },
		{ .name = 48, .path = 0, .line = 4 },
	},
	.rules = {
		{ .ops = 0x1b, .action = 0, .first_range = 0, .nr_ranges = 1,
		  .first_leg = 0, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 3, .is_default = 0,
		  .label = 0, .text = 52, .target = 0 },
		{ .ops = 0x1b, .action = 0, .first_range = 1, .nr_ranges = 1,
		  .first_leg = 1, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = 1073741824ULL, .line = 4, .is_default = 0,
		  .label = 0, .text = 71, .target = 1 },
		{ .ops = 0x1b, .action = 0, .first_range = 2, .nr_ranges = 1,
		  .first_leg = 2, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = UBLKPOL_NO_OFFSET, .line = 5, .is_default = 0,
		  .label = 0, .text = 102, .target = 0 },
		{ .ops = 0x1b, .action = 0, .first_range = 3, .nr_ranges = 1,
		  .first_leg = 3, .nr_legs = 1, .chunk = 0, .error = 0,
		  .at = 2147483648ULL, .line = 6, .is_default = 0,
		  .label = 0, .text = 127, .target = 1 },
		{ .ops = 0x1b, .action = 2, .first_range = 4, .nr_ranges = 0,
		  .first_leg = 4, .nr_legs = 0, .chunk = 0, .error = 28,
		  .at = UBLKPOL_NO_OFFSET, .line = 7, .is_default = 1,
		  .label = 0, .text = 159, .target = 2 },
	},
	.ranges = {
		{ { 0ULL, UBLKPOL_UNIT_BYTES, 5 }, { 67108864ULL, UBLKPOL_UNIT_BYTES, 7 } },
		{ { 67108864ULL, UBLKPOL_UNIT_BYTES, 5 }, { 134217728ULL, UBLKPOL_UNIT_BYTES, 11 } },
		{ { 134217728ULL, UBLKPOL_UNIT_BYTES, 5 }, { 201326592ULL, UBLKPOL_UNIT_BYTES, 12 } },
		{ { 201326592ULL, UBLKPOL_UNIT_BYTES, 5 }, { 268435456ULL, UBLKPOL_UNIT_BYTES, 12 } },
	},
	.legs = { 0, 1, 0, 1, },
	.strings =
		"\0"
		"tests/compiler/good/shared-targets.ublkpol\0"
		"fd0\0"
		"fd1\0"
		"LBA 0-64MiB -> fd0\0"
		"LBA 64MiB-128MiB -> fd1 @ 1GiB\0"
		"LBA 128MiB-192MiB -> fd0\0"
		"LBA 192MiB-256MiB -> fd1 @ 2GiB\0"
		"default -> error ENOSPC",
};
