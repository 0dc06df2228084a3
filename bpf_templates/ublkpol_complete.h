/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_COMPLETE_H
#define UBLKPOL_COMPLETE_H

/*
 * The complete program of policies with mirrors: what becomes of an item that
 * failed. A read goes to another leg. A leg that failed a write is not used any
 * more, as long as another one is left; the write has failed too, unless the
 * mirror may degrade. Included behind ublkpol_route.h.
 */

struct ublkpol_failure {
	__u64 offset; /* byte on the backend */
	__u32 payload; /* byte of the request's payload or range */
	__u32 bytes;
	__s32 result;
	__u32 slot;
	__u32 opcode;
	__u32 attempt;
};

#define UBLKPOL_FAILURE(ctx)                                                                      \
	{                                                                                         \
		.offset = (ctx)->item_off, .payload = (ctx)->item_addr, .bytes = (ctx)->item_len, \
		.result = (ctx)->item_result, .slot = (ctx)->item_slot,                           \
		.opcode = (ctx)->item_opcode, .attempt = (ctx)->attempt,                          \
	}

static __always_inline int ublkpol_error_of(const struct ublkpol_failure *failure)
{
	return failure->result < 0 && failure->result >= -4095 ? failure->result : -EIO;
}

/*
 * Leg @bit is not used any more. False if it is the last one that can be read: to be
 * without any would not make its data better. The loop is for legs that fail at the
 * same time.
 */
static __always_inline bool ublkpol_fail_leg(struct ublkpol_mirror *state, __u64 bit)
{
	for (int i = 0; i < UBLK_BPF_MAX_SLOTS; i++) {
		__u64 failed = *(volatile __u64 *)&state->failed;

		if (failed & bit)
			return true;
		if (!(ublkpol_readable(state) & ~failed & ~bit))
			return false;
		if (__sync_val_compare_and_swap(&state->failed, failed, failed | bit) == failed)
			return true;
	}
	return false;
}

/* The read again, from the next good leg behind the one that failed */
static __always_inline int ublkpol_retry_read(void *ctx, const struct ublkpol_failure *failure,
					      struct ublkpol_mirror *state)
{
	__u64 legs = ublkpol_readable(state);
	__u64 bit = 1ULL << (failure->slot & 63);
	__u64 behind = legs & ~(bit | (bit - 1));
	struct io_uring_sqe sqe = {};
	__u64 next;
	__u32 slot;

	if (!(state->legs & bit))
		return ublkpol_error_of(failure);
	__sync_fetch_and_add(&state->read_errors[failure->slot & 63], 1);
	if (failure->attempt >= (__u32)__builtin_popcountll(state->legs) || !(legs & ~bit))
		return ublkpol_error_of(failure);
	next = behind ? behind & -behind : legs & -legs;

	sqe.opcode = IORING_OP_READ;
	sqe.off = failure->offset;
	sqe.addr = failure->payload;
	sqe.len = failure->bytes;
	slot = __builtin_popcountll(next - 1);
	if (ublkpol_queue_sqe(ctx, &sqe, slot))
		return ublkpol_error_of(failure);
	ublkpol_count(UBLKPOL_ENTRY_BACKEND(slot), UBLKPOL_COUNT_READ, 1, failure->bytes);
	return UBLK_BPF_SUBMIT;
}

/* A write failed on a leg of mirror number @mirror */
UBLKPOL_GLOBAL int ublkpol_settle_write(const struct ublkpol_failure *failure ublkpol_nonnull,
					__u32 mirror, __u32 may_degrade)
{
	struct ublkpol_mirror *state = ublkpol_mirror_at(mirror);
	__u64 bit = 1ULL << (failure->slot & 63);

	if (!state || !(state->legs & bit))
		return ublkpol_error_of(failure);
	__sync_fetch_and_add(&state->write_errors[failure->slot & 63], 1);
	if (!ublkpol_fail_leg(state, bit) || !may_degrade)
		return ublkpol_error_of(failure);
	return UBLK_BPF_SETTLE;
}

/*
 * A flush that failed on a leg: what the leg had not yet stored is lost, so it
 * counts as a write that failed, for each mirror of the leg.
 */
static __always_inline int ublkpol_settle_flush(const struct ublkpol_failure *failure)
{
	int result = UBLK_BPF_SETTLE;

	if (UBLKPOL_UNMIRRORED >> (failure->slot & 63) & 1)
		result = ublkpol_error_of(failure);
	for (__u32 i = 0; i < UBLKPOL_NR_MIRRORS; i++) {
		const struct ublkpol_mirror *state = ublkpol_mirror_at(i);
		int settled;

		if (!state || !(state->legs >> (failure->slot & 63) & 1))
			continue;
		settled = ublkpol_settle_write(failure, i, UBLKPOL_DEGRADING >> i & 1);
		if (settled < 0)
			result = settled;
	}
	return result;
}

static __always_inline int ublkpol_recover(void *ctx, struct ublkpol_request *rq,
					   const struct ublkpol_failure *failure)
{
	__u32 dir = rq->op == UBLK_IO_OP_READ ? UBLKPOL_DIR_READ : UBLKPOL_DIR_WRITE;
	__u64 sector = rq->sector + (failure->payload >> UBLKPOL_SECTOR_SHIFT);
	struct ublkpol_decision decision = {};
	struct ublkpol_mirror *state;
	__u32 index;

	if (failure->slot >= UBLK_BPF_MAX_SLOTS)
		return ublkpol_error_of(failure);
	if (rq->op == UBLK_IO_OP_FLUSH)
		return ublkpol_settle_flush(failure);
	if (sector >= ublkpol_config.dev_sectors)
		return ublkpol_error_of(failure);
	if (!(dir == UBLKPOL_DIR_READ ? ublkpol_find(UBLKPOL_DIR_READ, sector, &index, &decision)
				      : ublkpol_find(UBLKPOL_DIR_WRITE, sector, &index, &decision)))
		return ublkpol_error_of(failure);
	if (!decision.retry_mirror)
		return ublkpol_error_of(failure);
	if (dir == UBLKPOL_DIR_WRITE)
		return ublkpol_settle_write(failure, decision.retry_mirror - 1, decision.degrade);
	state = ublkpol_mirror_at(decision.retry_mirror - 1);
	return state ? ublkpol_retry_read(ctx, failure, state) : ublkpol_error_of(failure);
}

UBLKPOL_COMPLETE_ENTRY

#endif
