// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the helper calls that user space wrote into a map, whatever they are,
 * and tells what came of them.
 */
#include <asm-generic/errno-base.h>
#include <linux/types.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "fuzz.h"
#include "ublk_program.h"

static void *(*const bpf_map_lookup_elem)(void *map,
					  const void *key) = (void *)BPF_FUNC_map_lookup_elem;

struct {
	int (*type)[BPF_MAP_TYPE_ARRAY];
	int (*map_flags)[BPF_F_MMAPABLE];
	int (*max_entries)[1];
	__u32 *key;
	struct fuzz_case *value;
} cases SEC(".maps");

SEC("ublk") int fuzz(struct ublk_bpf_ctx *ctx)
{
	__u32 zero = 0, i;
	struct fuzz_case *todo = bpf_map_lookup_elem(&cases, &zero);

	if (!todo)
		return -EINVAL;
	if (todo->op != ctx->op)
		return UBLK_BPF_SUBMIT;
	todo->start_sector = ctx->start_sector;
	todo->nr_sectors = ctx->nr_sectors;
	todo->runs++;
	for (i = 0; i < FUZZ_CALLS && i < todo->nr_calls; i++) {
		struct fuzz_call *call = &todo->calls[i];
		__u32 len = call->sqe_len;

		if (!len || len > FUZZ_SQE_BYTES)
			return -EINVAL;
		call->result = bpf_ublk_queue_sqe(ctx, call->sqe, len, call->fd);
	}
	return todo->ret;
}

char _license[] SEC("license") = "GPL";
