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

#endif
