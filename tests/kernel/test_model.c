// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <linux/falloc.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "test_model.h"

/* Is every byte of the SQE 0 but those of the fields that the opcode uses? */
static bool rest_is_zero(const struct io_uring_sqe *sqe)
{
	unsigned char bytes[sizeof(*sqe)];
	size_t i;

	memcpy(bytes, sqe, sizeof(bytes));
	bytes[offsetof(struct io_uring_sqe, opcode)] = 0;
	memset(bytes + offsetof(struct io_uring_sqe, off), 0, 8);
	memset(bytes + offsetof(struct io_uring_sqe, addr), 0, 8);
	memset(bytes + offsetof(struct io_uring_sqe, len), 0, 4);
	if (sqe->opcode == IORING_OP_FSYNC)
		memset(bytes + offsetof(struct io_uring_sqe, fsync_flags), 0, 4);
	if (sqe->opcode == IORING_OP_FALLOCATE)
		memset(bytes + offsetof(struct io_uring_sqe, user_data), 0, 8);
	for (i = 0; i < sizeof(bytes); i++)
		if (bytes[i])
			return false;
	return true;
}

static unsigned int bad_part(const struct model_plan *plan, __u64 addr, __u64 len, bool once)
{
	if (addr % 512 || len % 512 || !len)
		return MODEL_EINVAL;
	if (addr < plan->begin || addr > plan->payload || len > plan->payload - addr)
		return MODEL_EINVAL;
	if (addr > plan->covered || (once && addr < plan->covered))
		return MODEL_EINVAL;
	return 0;
}

static unsigned int bad_slot(const struct model_plan *plan, __s32 fd, bool write)
{
	if (fd < 0 || fd >= plan->nr_slots)
		return MODEL_EBADF;
	return (write ? plan->slots[fd].writable : plan->slots[fd].readable) ? 0 : MODEL_EBADF;
}

static unsigned int bad_rw(const struct model_plan *plan, const struct io_uring_sqe *sqe, __s32 fd,
			   bool write)
{
	unsigned int errors = bad_slot(plan, fd, write);

	if (sqe->off % 512 || sqe->off > LLONG_MAX - (__u64)sqe->len)
		errors |= MODEL_EINVAL;
	return errors | bad_part(plan, sqe->addr, sqe->len, !write);
}

/* addr is a length and len a mode here; user_data says where in the request it begins */
static unsigned int bad_fallocate(const struct model_plan *plan, const struct io_uring_sqe *sqe,
				  __s32 fd)
{
	bool hole = sqe->len == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	bool zeroes = sqe->len == (FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	unsigned int errors = bad_slot(plan, fd, true);

	if (plan->op == UBLK_IO_OP_DISCARD ? !hole : !zeroes && (!hole || plan->nounmap))
		errors |= MODEL_EINVAL;
	if (sqe->off % 512 || sqe->off > LLONG_MAX || sqe->addr > LLONG_MAX - sqe->off)
		errors |= MODEL_EINVAL;
	return errors | bad_part(plan, sqe->user_data, sqe->addr, false);
}

static unsigned int bad_nothing(const struct model_plan *plan, const struct io_uring_sqe *sqe,
				__s32 fd)
{
	bool read = plan->op == UBLK_IO_OP_READ;
	unsigned int errors = 0;

	if (fd != (read ? UBLK_BPF_FD_ZERO : UBLK_BPF_FD_DROP))
		errors |= MODEL_EBADF;
	if (sqe->off)
		errors |= MODEL_EINVAL;
	return errors | bad_part(plan, sqe->addr, sqe->len, read);
}

static unsigned int bad_fsync(const struct model_plan *plan, const struct io_uring_sqe *sqe,
			      __s32 fd)
{
	unsigned int errors = bad_slot(plan, fd, true);

	if (sqe->off || sqe->addr || sqe->len || (sqe->fsync_flags & ~IORING_FSYNC_DATASYNC))
		errors |= MODEL_EINVAL;
	return errors;
}

static unsigned int bad_hold(const struct model_plan *plan, const struct io_uring_sqe *sqe,
			     __s32 fd)
{
	unsigned int errors = fd == UBLK_BPF_FD_HOLD ? 0 : MODEL_EBADF;

	if (plan->hold_ns || sqe->addr || sqe->len || !sqe->off || sqe->off > UBLK_BPF_MAX_HOLD_NS)
		errors |= MODEL_EINVAL;
	return errors;
}

/* What is wrong with an SQE that has its right length; sets @kind unless it is a hold */
static unsigned int bad_sqe(const struct model_plan *plan, const struct io_uring_sqe *sqe, __s32 fd,
			    enum model_kind *kind)
{
	bool read = plan->op == UBLK_IO_OP_READ, write = plan->op == UBLK_IO_OP_WRITE;
	bool discard = plan->op == UBLK_IO_OP_DISCARD, zeroes = plan->op == UBLK_IO_OP_WRITE_ZEROES;

	switch (sqe->opcode) {
	case IORING_OP_READ:
		*kind = MODEL_READ;
		return read ? bad_rw(plan, sqe, fd, false) : MODEL_EOPNOTSUPP;
	case IORING_OP_WRITE:
		*kind = MODEL_WRITE;
		return write ? bad_rw(plan, sqe, fd, true) : MODEL_EOPNOTSUPP;
	case IORING_OP_NOP:
		*kind = read ? MODEL_ZERO : MODEL_DROP;
		return plan->op != UBLK_IO_OP_FLUSH ? bad_nothing(plan, sqe, fd) : MODEL_EOPNOTSUPP;
	case IORING_OP_FSYNC:
		*kind = MODEL_FSYNC;
		return plan->op == UBLK_IO_OP_FLUSH ? bad_fsync(plan, sqe, fd) : MODEL_EOPNOTSUPP;
	case IORING_OP_FALLOCATE:
		*kind = discard ? MODEL_DISCARD : MODEL_WRITE_ZEROES;
		return discard || zeroes ? bad_fallocate(plan, sqe, fd) : MODEL_EOPNOTSUPP;
	case IORING_OP_TIMEOUT:
		return bad_hold(plan, sqe, fd);
	default:
		return MODEL_EOPNOTSUPP;
	}
}

unsigned int model_queue(struct model_plan *plan, const void *bytes, __u32 sqe_len, __s32 fd)
{
	enum model_kind kind = MODEL_READ;
	unsigned int errors = 0;
	struct io_uring_sqe sqe;
	struct model_item item;

	memcpy(&sqe, bytes, sizeof(sqe));
	if (sqe_len != sizeof(sqe) || !rest_is_zero(&sqe))
		errors |= MODEL_EINVAL;
	if (plan->nr_items == plan->max_items && sqe.opcode != IORING_OP_TIMEOUT)
		errors |= MODEL_E2BIG;
	errors |= bad_sqe(plan, &sqe, fd, &kind);
	if (errors) {
		plan->poisoned = true;
		return errors;
	}
	if (sqe.opcode == IORING_OP_TIMEOUT) {
		plan->hold_ns = sqe.off;
		return 0;
	}
	item = (struct model_item){ kind, fd, sqe.off, sqe.addr, sqe.len };
	if (sqe.opcode == IORING_OP_FALLOCATE)
		item = (struct model_item){ kind, fd, sqe.off, sqe.user_data, sqe.addr };
	plan->items[plan->nr_items++] = item;
	if (kind != MODEL_FSYNC && item.addr + item.len > plan->covered)
		plan->covered = item.addr + item.len;
	return 0;
}

bool model_error(unsigned int errors, long result)
{
	switch (result) {
	case 0:
		return !errors;
	case -EINVAL:
		return errors & MODEL_EINVAL;
	case -EBADF:
		return errors & MODEL_EBADF;
	case -E2BIG:
		return errors & MODEL_E2BIG;
	case -EOPNOTSUPP:
		return errors & MODEL_EOPNOTSUPP;
	default:
		return false;
	}
}

bool model_submittable(const struct model_plan *plan)
{
	return !plan->poisoned && plan->covered == plan->payload;
}
