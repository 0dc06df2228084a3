/* SPDX-License-Identifier: GPL-2.0 */
#ifndef COMPLETE_REGIONS_H
#define COMPLETE_REGIONS_H

/*
 * Regions of the device of complete.bpf.c, in this order. Slot 0 fails whatever
 * it is asked for, slot 1 is good. What is said is what becomes of an SQE that
 * failed.
 */
enum complete_region {
	COMPLETE_MIRROR, /* writes go to both: settled on slot 0; reads go on on slot 1 */
	COMPLETE_STANDS, /* ENOSPC */
	COMPLETE_FOREVER, /* the same again each time */
	COMPLETE_THIRD, /* the same again, and the third time on slot 1 */
	COMPLETE_HALF, /* the second half of the request: on slot 1 */
	COMPLETE_PARTS, /* two SQEs on slot 1 */
	COMPLETE_TOO_MANY, /* more SQEs than the plan holds */
	COMPLETE_SETTLE, /* taken for done */
	COMPLETE_GAP, /* its first half is forgotten */
	COMPLETE_OUTSIDE, /* the second half of the request: all of it on slot 1 */
	COMPLETE_NOTHING, /* nothing is queued, but submitted */
	COMPLETE_ODD, /* a return value that does not exist */
	COMPLETE_ZERO, /* read as zeroes, or not written */
	COMPLETE_HOLD, /* after COMPLETE_HOLD_NS on slot 1; writes fail twice */
	NR_COMPLETE_REGIONS,
};

#define COMPLETE_REGION_BYTES (1U << 20)
#define COMPLETE_HOLD_NS      50000000ULL
#define COMPLETE_MAX_ITEMS    4

#endif
