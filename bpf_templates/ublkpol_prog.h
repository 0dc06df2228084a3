/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_PROG_H
#define UBLKPOL_PROG_H

/*
 * First part of every policy program: what the rules of a policy are written
 * with. A policy defines UBLKPOL_NR_RULES, _BACKENDS and _LEGS, includes this
 * file, defines policy_place() and policy_flush(), and includes
 * ublkpol_route.h, which holds the routing itself.
 *
 * The program runs in one of three places, each with a shim of its own:
 * in ublk (the default), as SEC("syscall") under BPF_PROG_TEST_RUN on any
 * kernel (UBLKPOL_SYSCALL), or as plain C in a test program (UBLKPOL_NATIVE).
 */
#include <linux/errno.h>
#include <stdbool.h>
#include <linux/types.h>
#include <linux/io_uring.h>
#include <linux/ublk_cmd.h>
#include <linux/ublk_bpf.h>

#include "ublkpol_object.h"

#if defined(UBLKPOL_NATIVE)
#include "ublkpol_shim_native.h"
#elif defined(UBLKPOL_SYSCALL)
#include "ublkpol_shim_syscall.h"
#else
#include "ublkpol_shim_ublk.h"
#endif

#define UBLKPOL_SECTOR_SHIFT 9

/* The part of a request that one SQE can carry */
struct ublkpol_piece {
	__u64 pos; /* position in the rule's target, sectors */
	__u32 sectors; /* what is left of the request; actions shorten it */
	__u32 slot; /* set by the action: backend ... */
	__u64 offset; /* ... and sector on it */
};

/* What policy_place() returns besides 0 and -errno */
#define UBLKPOL_UNMATCHED 1

/*
 * The actions. They are macros so that their instructions belong to the line
 * that uses them, which is a line of the policy file.
 */

/* NAME */
#define UBLKPOL_TO_BACKEND(piece, backend)      \
	({                                      \
		(piece)->slot = (backend);      \
		(piece)->offset = (piece)->pos; \
		0;                              \
	})

/*
 * stripe: chunk c of the composite is chunk c / nr_legs of leg c % nr_legs. The
 * legs are in a map because an index into an array would make the verifier
 * track the exact range of every position in every turn of the loop of
 * ublkpol_split().
 */
#define UBLKPOL_TO_STRIPE(piece, chunk_sectors, first_leg, nr_legs)                     \
	({                                                                              \
		__u64 chunk = (piece)->pos / (chunk_sectors);                           \
		__u32 inside = (piece)->pos % (chunk_sectors);                          \
		const __u32 *backend = ublkpol_leg_at((first_leg) + chunk % (nr_legs)); \
                                                                                        \
		if (!backend)                                                           \
			return -EIO;                                                    \
		(piece)->slot = *backend;                                               \
		(piece)->offset = chunk / (nr_legs) * (chunk_sectors) + inside;         \
		if ((piece)->sectors > (chunk_sectors)-inside)                          \
			(piece)->sectors = (chunk_sectors)-inside;                      \
		0;                                                                      \
	})

static __always_inline void ublkpol_count(__u32 entry, __u32 op, __u32 requests, __u64 bytes)
{
	struct ublkpol_counters *counters = ublkpol_counters_at(entry);

	if (!counters)
		return;
	counters->requests[op] += requests;
	counters->bytes[op] += bytes;
}

/* Indices for ublkpol_count() */
#define UBLKPOL_COUNT_READ	    0
#define UBLKPOL_COUNT_WRITE	    1
#define UBLKPOL_COUNT_FLUSH	    2
#define UBLKPOL_ENTRY_UNMATCHED	    UBLKPOL_NR_RULES
#define UBLKPOL_ENTRY_BACKEND(slot) (UBLKPOL_NR_RULES + 1 + (slot))

/* One SQE of a flush */
static __always_inline int ublkpol_fsync(void *ctx, __u32 slot)
{
	struct io_uring_sqe sqe = {};

	sqe.opcode = IORING_OP_FSYNC;
	if (ublkpol_queue_sqe(ctx, &sqe, slot))
		return -EIO;
	ublkpol_count(UBLKPOL_ENTRY_BACKEND(slot), UBLKPOL_COUNT_FLUSH, 1, 0);
	return 0;
}

#endif
