/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REGIONS_H
#define REGIONS_H

#include <linux/types.h>

/* Regions of the device of by_hand.bpf.c, in this order */
enum region {
	REGION_SLOT0,
	REGION_SLOT1,
	REGION_MIRROR,
	REGION_SPLIT,
	REGION_HALF_ZERO,
	REGION_ERROR,
	REGION_GAP,
	REGION_NO_SLOT,
	REGION_ODD_RETURN,
	REGION_REDIRECT,
	REGION_TWICE,
	REGION_EMPTY,
	REGION_HOLD,
	REGION_RETRY,
	REGION_SETTLE,
	REGION_STANDS,
	NR_REGIONS,
};

/* What by_hand.bpf.c notes of the last request but flushes, and of the last failure of an SQE */
struct by_hand_record {
	__u64 start_sector;
	__u32 nr_sectors;
	__u32 op;
	__u32 flags;
	__u32 dev_id;
	__u32 ioprio;
	__u32 cpu;
	__u16 q_id;
	__u16 tag;
	__u32 nr_failures;
	__u64 item_off;
	__u32 item_addr;
	__u32 item_len;
	__s32 item_result;
	__u32 item_slot;
	__u32 item_opcode;
	__u32 attempt;
};

#define REGION_BYTES   (1U << 20)
#define REGION_HOLD_NS 100000000ULL /* how long a request to REGION_HOLD is held */

#endif
