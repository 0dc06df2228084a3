/* SPDX-License-Identifier: GPL-2.0 */
#ifndef REGIONS_H
#define REGIONS_H

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
	NR_REGIONS,
};

#define REGION_BYTES   (1U << 20)
#define REGION_HOLD_NS 100000000ULL /* how long a request to REGION_HOLD is held */

#endif
