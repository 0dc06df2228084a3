/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_OP_H
#define RUNTIME_OP_H

#include <linux/ublk_cmd.h>

#include "libublkpol.h"

/* @op: UBLK_IO_OP_* of a request that a policy device takes */
static inline enum ublkpol_op op_of(__u32 op)
{
	switch (op) {
	case UBLK_IO_OP_READ:
		return UBLKPOL_READ;
	case UBLK_IO_OP_WRITE:
		return UBLKPOL_WRITE;
	case UBLK_IO_OP_FLUSH:
		return UBLKPOL_FLUSH;
	case UBLK_IO_OP_DISCARD:
		return UBLKPOL_DISCARD;
	default:
		return UBLKPOL_WRITE_ZEROES;
	}
}

#endif
