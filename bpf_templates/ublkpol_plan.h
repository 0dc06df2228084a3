/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_PLAN_H
#define UBLKPOL_PLAN_H

/* Where a program that does not run in ublk leaves its SQEs */
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>

#define UBLKPOL_PLAN_MAP "ublkpol_plan"

struct ublkpol_plan_item {
	struct io_uring_sqe sqe;
	__u32 slot;
	__u32 reserved;
};

struct ublkpol_plan {
	__u32 nr_items; /* emptied by whoever runs the program */
	__u32 reserved;
	struct ublkpol_plan_item items[UBLK_BPF_MAX_ITEMS];
};

#define UBLKPOL_INPUTS_MAP "ublkpol_inputs"
#define UBLKPOL_NR_RANDOM  16

/* What a program that does not run in ublk finds in the place of the kernel's answers */
struct ublkpol_inputs {
	__u64 now; /* ns */
	__u32 nr_draws; /* of "chance" so far */
	__u32 random[UBLKPOL_NR_RANDOM]; /* what they give, again and again */
};

#endif
