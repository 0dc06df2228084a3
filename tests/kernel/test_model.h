/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_MODEL_H
#define TEST_MODEL_H

/*
 * What docs/kernel-abi.md says about plans, in user space: which SQEs the helper
 * takes, and when a plan may be submitted. It shares no code with the kernel.
 */
#include <stdbool.h>
#include <linux/io_uring.h>
#include <linux/types.h>

#define MODEL_MAX_ITEMS 256

struct model_slot {
	bool readable, writable;
};

enum model_kind {
	MODEL_READ,
	MODEL_WRITE,
	MODEL_FSYNC,
	MODEL_DISCARD,
	MODEL_WRITE_ZEROES,
	MODEL_ZERO,
	MODEL_DROP
};

struct model_item {
	enum model_kind kind;
	int slot;
	__u64 off, addr, len;
};

struct model_plan {
	/* Set by the user of the model */
	unsigned int op; /* UBLK_IO_OP_* */
	bool nounmap; /* UBLK_IO_F_NOUNMAP */
	__u64 payload; /* bytes, also of a request without data */
	__u64 begin; /* of the part that is to be planned, up to the payload's end */
	unsigned int max_items;
	const struct model_slot *slots;
	int nr_slots;

	bool poisoned;
	__u64 covered; /* begins as @begin */
	__u64 hold_ns;
	unsigned int nr_items;
	struct model_item items[MODEL_MAX_ITEMS];
};

/* Errors that the helper may give; several rules can be broken at once */
#define MODEL_EINVAL	 (1U << 0)
#define MODEL_EBADF	 (1U << 1)
#define MODEL_E2BIG	 (1U << 2)
#define MODEL_EOPNOTSUPP (1U << 3)

/**
 * model_queue() - a call of the helper
 * @plan: changed as the call changes the kernel's plan
 * @sqe: at least 64 bytes
 *
 * Return: 0 if the call has to succeed, or a set of MODEL_E*
 */
unsigned int model_queue(struct model_plan *plan, const void *sqe, __u32 sqe_len, __s32 fd);

/** model_error() - is @result one that @errors allows? */
bool model_error(unsigned int errors, long result);

/** model_submittable() - may the program return UBLK_BPF_SUBMIT now? */
bool model_submittable(const struct model_plan *plan);

#endif
