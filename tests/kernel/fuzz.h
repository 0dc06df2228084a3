/* SPDX-License-Identifier: GPL-2.0 */
#ifndef FUZZ_H
#define FUZZ_H

#include <linux/types.h>

/* Between fuzz.c and fuzz.bpf.c: what the program is to do for one request */

#define FUZZ_CALLS     32
#define FUZZ_SQE_BYTES 128 /* sqe_len may be longer than an SQE */
#define FUZZ_BAD_SLOT  5 /* fails all that it is asked for */

struct fuzz_call {
	__u8 sqe[FUZZ_SQE_BYTES];
	__u32 sqe_len; /* 1..FUZZ_SQE_BYTES */
	__s32 fd;
	__s64 result; /* of the helper */
};

struct fuzz_case {
	__u32 nr_calls;
	__s32 ret; /* of the program */
	__u32 runs; /* how often it ran */
	__u32 op; /* of the request that is meant: a flush follows a FUA write */
	__u32 begin; /* bytes before the item that fails, for the complete program */
	__u32 nr_sectors; /* what it saw */
	__u64 start_sector;
	struct fuzz_call calls[FUZZ_CALLS];
};

#endif
