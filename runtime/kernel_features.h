/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_KERNEL_FEATURES_H
#define RUNTIME_KERNEL_FEATURES_H

/*
 * What the running kernel offers for policies. The numbers of the program
 * type, the attach type and the helper come from the kernel's own BTF: they
 * differ between kernels, so none of them may be a constant here.
 */
#include <linux/types.h>

#include "error.h"

#define KERNEL_FEATURES_BTF "/sys/kernel/btf/vmlinux"

struct kernel_features {
	int btf_error; /* 0, or the negative errno why its types cannot be read */
	int prog_type; /* BPF_PROG_TYPE_UBLK, or -1 */
	int attach_type; /* BPF_UBLK_ROUTE, or -1 */
	int complete_type; /* BPF_UBLK_COMPLETE, or -1 */
	unsigned int prog_flags; /* BPF_F_* that its programs need */
	int queue_sqe; /* BPF_FUNC_ublk_queue_sqe, or -1 */
	int ublk_error; /* 0, or the negative errno why ublk does not answer */
	__u64 ublk_flags; /* UBLK_F_* the driver knows */
};

/**
 * kernel_features_probe() - ask the running kernel
 * @features: filled in completely; what is missing is no error
 *
 * The ublk part needs CAP_SYS_ADMIN; without it ublk_error says so.
 */
void kernel_features_probe(struct kernel_features *features);

/**
 * kernel_features_require() - can a policy device run here?
 * @features: from kernel_features_probe()
 * @err: names the first thing that is missing and what to do about it
 *
 * Return: 0 or a negative errno; UBLKPOL_ERR_KERNEL when something is missing,
 * UBLKPOL_ERR_FAILED when it is only permission.
 */
int kernel_features_require(const struct kernel_features *features, struct ublkpol_error *err);

#endif
