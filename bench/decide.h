/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_DECIDE_H
#define BENCH_DECIDE_H

/* Shared by decide.c and the program that it runs */
#include <linux/types.h>

#define DECIDE_SECTORS 8 /* of a request */

struct decide_ctx {
	__u64 seed;
	__u64 first_sector; /* of those that are read */
	__u64 blocks; /* of DECIDE_SECTORS from there on, less than 2^32 */
	__u64 failed; /* out: decisions that did not end in one SQE */
	__u32 decisions;
	__u32 is_empty; /* only the loop itself */
};

#endif
