/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_PROG_H
#define UBLKPOL_PROG_H

/*
 * First part of every policy program: what the rules of a policy are written
 * with. A policy defines the UBLKPOL_NR_... that it has, includes this file,
 * defines the policy_...() functions, and includes ublkpol_route.h, which holds
 * the routing itself.
 *
 * The program runs in one of three places, each with a shim of its own:
 * in ublk (the default), as SEC("syscall") under BPF_PROG_TEST_RUN on any
 * kernel (UBLKPOL_SYSCALL), or as plain C in a test program (UBLKPOL_NATIVE).
 */
#include <linux/errno.h>
#include <stdbool.h>
#include <linux/falloc.h>
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

/* A policy leaves out what it has none of */
#define ublkpol_unused __attribute__((unused))

/*
 * The program of a simple policy is one function, and the request stays in
 * registers. What others have to remember does not fit on one function's stack.
 */
#if UBLKPOL_NR_CONDITIONS <= 2 && UBLKPOL_NR_TESTS <= 8 && !UBLKPOL_NR_TICKS && \
	UBLKPOL_NR_MODIFIERS <= 8 && UBLKPOL_MAX_COPIES <= 4 &&                 \
	!!UBLKPOL_NR_CONDITIONS + !!UBLKPOL_NR_MODIFIERS + !!UBLKPOL_NR_MIRRORS <= 1
#define UBLKPOL_PART static __always_inline
#else
#define UBLKPOL_PART UBLKPOL_GLOBAL
#define UBLKPOL_IS_LARGE
#endif

struct ublkpol_request {
	__u64 sector;
	__u32 sectors;
	__u32 op; /* UBLK_IO_OP_* */
	__u32 flags;
	__u32 ioprio;
	__u16 queue;
	__u16 cpu; /* no kernel has more */
	__u32 op_counter; /* entry in struct ublkpol_counters */
	/* All of this is on a small stack: a policy has the fields that it needs */
#if UBLKPOL_NR_CONDITIONS
	__u64 match; /* bit c: condition c of its direction holds, or may hold */
#endif
#if UBLKPOL_NR_TICKS
	__u64 pending; /* that depends on a tick of "every" which is not drawn yet */
	__u64 inverted; /* it holds when the tick does not come */
#endif
#if UBLKPOL_NR_MODIFIERS
	__u64 hold; /* ns to wait before anything is submitted */
#endif
#ifdef UBLKPOL_IS_LARGE
	__u32 segment; /* with UBLKPOL_SPLIT: where the request begins */
#endif
};

/* From a struct ublk_bpf_ctx, whose fields must be read one by one */
#define UBLKPOL_REQUEST(ctx)                                                                  \
	{                                                                                     \
		.sector = (ctx)->start_sector, .sectors = (ctx)->nr_sectors, .op = (ctx)->op, \
		.flags = (ctx)->flags, .ioprio = (ctx)->ioprio, .queue = (ctx)->q_id,         \
		.cpu = (__u16)(ctx)->cpu,                                                     \
	}

/* The part of a request that one SQE for each copy can carry */
struct ublkpol_piece {
	__u64 pos; /* position in the rule's target, sectors */
	__u32 sectors; /* what is left of the request; actions shorten it */
	__u32 slot; /* set by the action: backend ... */
	__u64 offset; /* ... and sector on it */
	__u32 first_leg; /* of a write to a mirror: its legs ... */
	__u32 nr_legs; /* ... or 0: it goes to @slot */
	__u32 mirror; /* the number of that mirror */
	__u64 payload; /* bytes of the request in front of it */
	bool is_write;
};

/* What policy_place() returns besides 0 and -errno */
#define UBLKPOL_UNMATCHED 1
#define UBLKPOL_ZERO	  2
#define UBLKPOL_DROP	  3
#define UBLKPOL_USER	  4

/* Between the parts of a large program: the request needs several SQEs */
#define UBLKPOL_SPLIT 2

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

/* Nothing behind the end of the chunk of @chunk_sectors belongs to the piece */
static __always_inline void ublkpol_cut(struct ublkpol_piece *piece, __u32 chunk_sectors)
{
	__u32 left = chunk_sectors - (__u32)(piece->pos % chunk_sectors);

	if (piece->sectors > left)
		piece->sectors = left;
}

/*
 * stripe: chunk c of the composite is chunk c / nr_legs of leg c % nr_legs. The
 * legs are in a map because an index into an array would make the verifier
 * track the exact range of every position.
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

/* Spreads the chunks of a hash: the last steps of splitmix64 */
static __always_inline __u64 ublkpol_hash(__u64 chunk)
{
	chunk = (chunk ^ chunk >> 30) * 0xbf58476d1ce4e5b9ULL;
	chunk = (chunk ^ chunk >> 27) * 0x94d049bb133111ebULL;
	return chunk ^ chunk >> 31;
}

/* hash: a chunk lies where it lies in the composite, on the leg that has its share */
#define UBLKPOL_TO_HASH(piece, chunk_sectors, first_leg, nr_shares)                       \
	({                                                                                \
		__u64 hash = ublkpol_hash((piece)->pos / (chunk_sectors));                \
		const __u32 *backend =                                                    \
			ublkpol_leg_at((first_leg) + ((hash >> 32) * (nr_shares) >> 32)); \
                                                                                          \
		if (!backend)                                                             \
			return -EIO;                                                      \
		ublkpol_cut(piece, chunk_sectors);                                        \
		(piece)->slot = *backend;                                                 \
		(piece)->offset = (piece)->pos;                                           \
		0;                                                                        \
	})

/* mirror: a write goes to all legs, a read to leg number @leg */
#define UBLKPOL_TO_MIRROR(piece, number, first, nr, leg)                        \
	({                                                                      \
		(piece)->offset = (piece)->pos;                                 \
		(piece)->mirror = (number);                                     \
		if ((piece)->is_write) {                                        \
			(piece)->first_leg = (first);                           \
			(piece)->nr_legs = (nr);                                \
		} else {                                                        \
			const __u32 *backend = ublkpol_leg_at((first) + (leg)); \
                                                                                \
			if (!backend)                                           \
				return -EIO;                                    \
			(piece)->slot = *backend;                               \
		}                                                               \
		0;                                                              \
	})

/* "read by LBA": the number of the leg; the piece ends with its chunk */
static __always_inline ublkpol_unused __u32 ublkpol_leg_by_lba(struct ublkpol_piece *piece,
							       __u32 chunk_sectors, __u32 nr_legs)
{
	ublkpol_cut(piece, chunk_sectors);
	return piece->pos / chunk_sectors % nr_legs;
}

/* "read round-robin": counts the reads of a mirror */
static __always_inline ublkpol_unused __u32 ublkpol_turn(__u32 mirror)
{
	struct ublkpol_mirror *state = ublkpol_mirror_at(mirror);

	return state ? (__u32)__sync_fetch_and_add(&state->turn, 1) : 0;
}

/* --- conditions --- */

/*
 * What a condition is made of: 1 if it holds, else 0, without a branch. With
 * branches the verifier would follow every combination of conditions.
 */
#define UBLKPOL_CONDITION(name)                                                            \
	static __always_inline __u64 name(const struct ublkpol_request *rq ublkpol_unused, \
					  __u64 draw ublkpol_unused, __u64 tick ublkpol_unused)

/* Those of a large program's flushes are functions, called where a rule needs them */
#ifdef UBLKPOL_IS_LARGE
#define UBLKPOL_FLUSH_CONDITION(name)                                                              \
	UBLKPOL_GLOBAL __u64 name(const struct ublkpol_request *rq ublkpol_nonnull ublkpol_unused, \
				  __u64 draw ublkpol_unused, __u64 tick ublkpol_unused)
#else
#define UBLKPOL_FLUSH_CONDITION(name) UBLKPOL_CONDITION(name)
#endif

/* Both below 2^63 */
static __always_inline ublkpol_unused __u64 ublkpol_less(__u64 a, __u64 b)
{
	__u64 difference = a - b;

	ublkpol_hide(difference);
	return difference >> 63;
}

static __always_inline ublkpol_unused __u64 ublkpol_at_most(__u64 a, __u64 b)
{
	return ublkpol_less(b, a) ^ 1;
}

static __always_inline ublkpol_unused __u64 ublkpol_between(__u64 value, __u64 low, __u64 high)
{
	return (ublkpol_less(value, low) | ublkpol_less(high, value)) ^ 1;
}

static __always_inline ublkpol_unused __u64 ublkpol_equal(__u64 a, __u64 b)
{
	return ublkpol_between(a, b, b);
}

static __always_inline ublkpol_unused __u64 ublkpol_size(const struct ublkpol_request *rq)
{
	return (__u64)rq->sectors << UBLKPOL_SECTOR_SHIFT;
}

/* Do the start and the length lie on multiples of @align, a power of two? */
static __always_inline ublkpol_unused __u64 ublkpol_aligned(const struct ublkpol_request *rq,
							    __u64 align)
{
	__u64 ends = (rq->sector | rq->sectors) << UBLKPOL_SECTOR_SHIFT;

	return ublkpol_less(ends & (align - 1), 1);
}

static __always_inline ublkpol_unused __u64 ublkpol_has(const struct ublkpol_request *rq,
							__u32 flags)
{
	return ublkpol_less(rq->flags & flags, 1) ^ 1;
}

/*
 * A priority as one number: 0 is the most urgent level of rt, 8 that of be, 16
 * that of idle. A request without a class counts as be 4, as the schedulers
 * have it.
 */
#define UBLKPOL_PRIO(class, level) (((class) - 1) * 8 + (level))

static __always_inline ublkpol_unused __u64 ublkpol_prio(const struct ublkpol_request *rq)
{
	__u64 class = rq->ioprio >> 13 & 7;
	__u64 is_none = ublkpol_less(class, 1);
	__u64 level = rq->ioprio & 7;

	class += 2 * is_none;
	level = (level & (is_none - 1)) | 4 * is_none;
	return UBLKPOL_PRIO(class, level);
}

#if UBLKPOL_NR_CONDITIONS
/*
 * Condition @bit holds, if @holds is 1. Hidden, or clang would work out several
 * conditions before it puts one away, on a stack that is small.
 */
static __always_inline ublkpol_unused void ublkpol_note(struct ublkpol_request *rq, __u32 bit,
							__u64 holds)
{
	__u64 match = rq->match | holds << bit;

	ublkpol_hide(match);
	rq->match = match;
}
#endif

#if UBLKPOL_NR_TICKS
/* Condition @bit holds if @hit is 1 and the tick comes, or if @miss is and it does not */
static __always_inline ublkpol_unused void ublkpol_await_tick(struct ublkpol_request *rq, __u32 bit,
							      __u64 hit, __u64 miss)
{
	ublkpol_note(rq, bit, hit | miss);
	rq->pending |= (hit ^ miss) << bit;
	rq->inverted |= (miss & (hit ^ 1)) << bit;
}
#endif

/* Counts a request for "every @period" of rule @rule; is it the one? */
static __always_inline ublkpol_unused bool ublkpol_tick(__u32 rule, __u64 period)
{
	__u64 *ticks = ublkpol_ticks_at(rule);

	return ticks && (__sync_fetch_and_add(ticks, 1) + 1) % period == 0;
}

/* --- modifiers --- */

/* 0, but the verifier does not know: it would follow each value that is added */
static __always_inline ublkpol_unused __u64 ublkpol_some_zero(const struct ublkpol_request *rq)
{
	__u64 sector = rq->sector, same = rq->sector;

	ublkpol_hide(sector);
	ublkpol_hide(same);
	return sector - same;
}

#if UBLKPOL_NR_MODIFIERS
/* The longest delay counts. Without a branch, for the verifier's sake: see above */
static __always_inline ublkpol_unused void ublkpol_delay(struct ublkpol_request *rq, __u64 ns)
{
	rq->hold += (ns - rq->hold) & -ublkpol_less(rq->hold, ns);
}

/* What a limit lets pass at once after a pause: enough for timers that come late */
#define UBLKPOL_LIMIT_BURST_NS 10000000ULL

/*
 * Takes @cost ns of the limit's time. @next says when what was taken so far has
 * passed; it never lags behind by more than the burst, nor is it further ahead than a
 * request can be held: later ones, or another rate, would not get rid of such a debt.
 * Needs no lock: two requests that find it outside bring it to the same place.
 */
static __always_inline ublkpol_unused void ublkpol_take(struct ublkpol_request *rq, __u64 *next,
							__u64 cost)
{
	__u64 now = ublkpol_now();
	__u64 earliest = now - UBLKPOL_LIMIT_BURST_NS;
	__u64 before = *(volatile __u64 *)next;

	if (before - earliest > UBLKPOL_LIMIT_BURST_NS + UBLK_BPF_MAX_HOLD_NS)
		__sync_val_compare_and_swap(
			next, before,
			(__s64)(before - earliest) < 0 ? earliest : now + UBLK_BPF_MAX_HOLD_NS);
	before = __sync_fetch_and_add(next, cost);
	ublkpol_delay(rq, (before - now) & -ublkpol_less(now, before));
}

/* limit RATE/s: of data that is read or written */
static __always_inline ublkpol_unused void ublkpol_limit_bytes(struct ublkpol_request *rq,
							       __u32 modifiers, __u64 bytes,
							       __u64 rate)
{
	struct ublkpol_limiter *limiter = ublkpol_limiter_at(modifiers);

	if (limiter && rq->op_counter <= UBLKPOL_COUNT_WRITE)
		ublkpol_take(rq, &limiter->next_byte, bytes * 1000000000ULL / rate);
}

/* limit N iops: of requests, a request that is split is one for each stretch */
static __always_inline ublkpol_unused void ublkpol_limit_requests(struct ublkpol_request *rq,
								  __u32 modifiers, __u32 requests,
								  __u64 rate)
{
	struct ublkpol_limiter *limiter = ublkpol_limiter_at(modifiers);

	if (limiter && requests)
		ublkpol_take(rq, &limiter->next_request, 1000000000ULL / rate);
}
#endif

#if UBLKPOL_HAS_TRACE
static __always_inline void ublkpol_trace_request(const struct ublkpol_request *rq, __u32 rule,
						  __u32 requests)
{
	struct ublkpol_trace *record = requests ? ublkpol_trace_begin() : NULL;

	if (!record)
		return;
	record->time = ublkpol_now();
	record->sector = rq->sector;
	record->sectors = rq->sectors;
	record->rule = rule;
	record->op = rq->op;
	record->flags = rq->flags;
	record->queue = rq->queue;
	record->ioprio = rq->ioprio;
	ublkpol_trace_end(record);
}
#endif

/* What the modifiers of all rules asked for, at the end of the plan */
static __always_inline ublkpol_unused int ublkpol_finish(void *ctx,
							 const struct ublkpol_request *rq)
{
#if UBLKPOL_NR_MODIFIERS
	struct io_uring_sqe sqe = {};

	if (!rq->hold)
		return UBLK_BPF_SUBMIT;
	sqe.opcode = IORING_OP_TIMEOUT;
	sqe.off = rq->hold < UBLK_BPF_MAX_HOLD_NS ? rq->hold : UBLK_BPF_MAX_HOLD_NS;
	if (ublkpol_queue_sqe(ctx, &sqe, UBLK_BPF_FD_HOLD))
		return -EIO;
#else
	(void)ctx;
	(void)rq;
#endif
	return UBLK_BPF_SUBMIT;
}

/* --- counters --- */

static __always_inline void ublkpol_count(__u32 entry, __u32 op, __u32 requests, __u64 bytes)
{
	struct ublkpol_counters *counters = ublkpol_counters_at(entry);

	if (!counters || op >= UBLKPOL_NR_OPS)
		return;
	counters->requests[op] += requests;
	counters->bytes[op] += bytes;
}

#define UBLKPOL_ENTRY_UNMATCHED	    UBLKPOL_NR_RULES
#define UBLKPOL_ENTRY_BACKEND(slot) (UBLKPOL_NR_RULES + 1 + (slot))

/* --- flushes --- */

#if UBLKPOL_NR_BACKENDS <= 8 && UBLKPOL_NR_MIRRORS <= 4
#define UBLKPOL_FLUSH static __always_inline
#else
#define UBLKPOL_FLUSH UBLKPOL_GLOBAL
#endif

#if UBLKPOL_NR_MIRRORS
/* The legs that have what was written */
static __always_inline ublkpol_unused __u64 ublkpol_readable(const struct ublkpol_mirror *state)
{
	return state->legs & ~*(volatile __u64 *)&state->failed &
	       ~*(volatile __u64 *)&state->unsynced;
}

/* A leg that is used no more, and holds nothing else, need not be flushed */
static __always_inline ublkpol_unused __u64 ublkpol_flushable(void)
{
	__u64 backends = UBLKPOL_UNMIRRORED;

	for (__u32 i = 0; i < UBLKPOL_NR_MIRRORS; i++) {
		const struct ublkpol_mirror *state = ublkpol_mirror_at(i);

		if (state)
			backends |= state->legs & ~*(volatile __u64 *)&state->failed;
	}
	return backends;
}
#endif

#if UBLKPOL_NR_BACKENDS
/* Bit b of @backends: backend b */
UBLKPOL_FLUSH ublkpol_unused int ublkpol_flush_backends(void *ctx ublkpol_ctx, __u64 backends)
{
#if UBLKPOL_NR_MIRRORS
	backends &= ublkpol_flushable();
#endif
	for (__u32 slot = 0; slot < UBLKPOL_NR_BACKENDS; slot++) {
		struct io_uring_sqe sqe = {};

		if (!(backends >> slot & 1))
			continue;
		sqe.opcode = IORING_OP_FSYNC;
		if (ublkpol_queue_sqe(ctx, &sqe, slot))
			return -EIO;
		ublkpol_count(UBLKPOL_ENTRY_BACKEND(slot), UBLKPOL_COUNT_FLUSH, 1, 0);
	}
	return 0;
}
#endif

#if UBLKPOL_NR_MIRRORS
/* May leg @slot of a mirror be written? */
static __always_inline ublkpol_unused bool ublkpol_is_good(__u32 mirror, __u32 slot)
{
	const struct ublkpol_mirror *state = ublkpol_mirror_at(mirror);

	return !state || !(*(volatile __u64 *)&state->failed >> (slot & 63) & 1);
}
#endif

#endif
