/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
#ifndef USER_BLK_BPF_INC_H
#define USER_BLK_BPF_INC_H

#include <linux/types.h>

/*
 * BPF_PROG_TYPE_UBLK: a program attached to a ublk device decides, for every
 * block request, which file ranges serve it. See
 * Documentation/block/ublk-bpf.rst.
 */

/*
 * What a routing program (SEC("ublk")) sees of a request. Read only; every
 * field is read whole, at its own size. New fields take the place of reserved
 * ones: struct ublk_bpf_complete_ctx goes on behind it.
 */
struct ublk_bpf_ctx {
	__u64	start_sector;	/* first 512-byte sector on the ublk device */
	__u32	nr_sectors;	/* 512-byte sectors; 0 for UBLK_IO_OP_FLUSH */
	__u32	op;		/* UBLK_IO_OP_* */
	__u32	flags;		/* UBLK_IO_F_*, without an op in bits 0-7 */
	__u32	dev_id;
	__u16	q_id;
	__u16	tag;
	__u32	ioprio;		/* IOPRIO_PRIO_VALUE() of the request */
	__u32	cpu;		/* on which it was submitted */
	__u32	reserved0;	/* not to be read, nor is reserved1 */
	__u64	reserved1;
};

/* Bits of ublk_bpf_ctx.flags that struct ublksrv_io_desc does not carry */
#define UBLK_IO_F_SYNC		(1U << 20)
#define UBLK_IO_F_RAHEAD	(1U << 21)
#define UBLK_IO_F_IDLE		(1U << 22)

/*
 * What a complete program (SEC("ublk/complete")) sees of a plan item that
 * failed. It runs in process context, once for each such item, after the last
 * item of the plan has ended.
 */
struct ublk_bpf_complete_ctx {
	struct ublk_bpf_ctx rq;	/* the request, as the routing program saw it */
	__u64	item_off;	/* byte on the backend */
	__u32	item_addr;	/* byte of the request's payload or range */
	__u32	item_len;	/* bytes that are not done */
	__s32	item_result;	/* negative errno */
	__u32	item_slot;	/* of the backend table */
	__u32	item_opcode;	/* IORING_OP_* of its SQE */
	__u32	attempt;	/* how often this part was tried, from 1 */
};

/* Return values of the programs; a negative errno fails the request */
#define UBLK_BPF_SUBMIT		0	/* submit what was queued */
#define UBLK_BPF_REDIRECT	1	/* hand the request to the ublk server */
#define UBLK_BPF_SETTLE		2	/* complete program: take it for done */

/*
 * @fd of bpf_ublk_queue_sqe() is a slot of the device's backend table, or one
 * of these. ZERO and DROP go with IORING_OP_NOP, whose addr and len name a
 * range of the payload: read as zeroes, or do not write. HOLD goes with
 * IORING_OP_TIMEOUT, whose off is a time in nanoseconds: submit nothing of the
 * plan before it has passed.
 */
#define UBLK_BPF_FD_ZERO	(-1)
#define UBLK_BPF_FD_DROP	(-2)
#define UBLK_BPF_FD_HOLD	(-3)

/* Upper limit of the time of UBLK_BPF_FD_HOLD: a minute */
#define UBLK_BPF_MAX_HOLD_NS	60000000000ULL

/* A part of a request is tried this often, then its error stands */
#define UBLK_BPF_MAX_ATTEMPTS	8

/* Upper limits of struct ublk_bpf_attach */
#define UBLK_BPF_MAX_SLOTS	64
#define UBLK_BPF_MAX_ITEMS	256

/*
 * One backend: a file of the task that issues UBLK_U_CMD_ATTACH_BPF. A block
 * device is driven by bios, straight from the block layer; any other file, and
 * a block device with UBLK_BPF_SLOT_RING, through the server's io_uring.
 */
struct ublk_bpf_slot {
	__s32	fd;		/* with SLOT_KEEP: a slot of the current table */
	__u32	flags;		/* UBLK_BPF_SLOT_* */
};

#define UBLK_BPF_SLOT_RING	(1U << 0)
/* With ATTACH_REPLACE: go on with this file, driven as it is */
#define UBLK_BPF_SLOT_KEEP	(1U << 1)

/*
 * Parameter of UBLK_U_CMD_ATTACH_BPF, which ctrl_cmd.addr points to;
 * ctrl_cmd.len is its size. The kernel takes its own references on the
 * programs and on the files.
 */
struct ublk_bpf_attach {
	__s32	prog_fd;	/* BPF_PROG_TYPE_UBLK, BPF_UBLK_ROUTE */
	__u32	flags;		/* UBLK_BPF_ATTACH_* */
	__u32	max_items;	/* plan items of one request, 1..UBLK_BPF_MAX_ITEMS */
	__u32	nr_slots;	/* 0..UBLK_BPF_MAX_SLOTS */
	__u64	slots;		/* address of struct ublk_bpf_slot[nr_slots] */
	__s32	complete_fd;	/* with ATTACH_COMPLETE: BPF_UBLK_COMPLETE; else 0 */
	__u32	reserved0;	/* must be 0 */
	__u64	no_flush;	/* with ATTACH_REPLACE: slots, see below; else 0 */
};

/* The device is live: take the place of what is attached, all at once */
#define UBLK_BPF_ATTACH_REPLACE		(1U << 0)
/* There is a complete program */
#define UBLK_BPF_ATTACH_COMPLETE	(1U << 1)

/*
 * ->no_flush, bit s: nobody relies on what slot s of the current table holds,
 * such as a leg of a mirror that has failed. It is not flushed when the table
 * is replaced, so what becomes of it can't fail the next flush.
 */

#endif
