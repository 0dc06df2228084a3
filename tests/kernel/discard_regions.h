/* SPDX-License-Identifier: GPL-2.0 */
#ifndef DISCARD_REGIONS_H
#define DISCARD_REGIONS_H

/* Regions of the device of discard.bpf.c, in this order */
enum discard_region {
	DISCARD_ONE, /* on slot 0 */
	DISCARD_BOTH, /* on slots 0 and 1 */
	DISCARD_SPLIT, /* its first half on slot 0, the rest on slot 1 */
	DISCARD_DROP, /* nowhere */
	DISCARD_HALF_DROP, /* its first half nowhere, the rest on slot 0 */
	DISCARD_GAP, /* the program forgets the first half */
	DISCARD_TOO_LONG, /* the SQE is longer than the request */
	DISCARD_OTHER_MODE, /* the SQE's mode is not valid for the request */
	DISCARD_AS_WRITE, /* the SQE is a write */
	DISCARD_LARGE, /* several GiB, on slot 1 */
};

#define DISCARD_REGION_BYTES (1U << 20)
#define DISCARD_LARGE_BYTES  ((1ULL << 31) + (16 << 20)) /* more than an int holds */
#define DISCARD_DEVICE_BYTES (DISCARD_LARGE * (__u64)DISCARD_REGION_BYTES + DISCARD_LARGE_BYTES)

#endif
