// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <bpf/btf.h>

#include "kernel_features.h"
#include "ublk_control.h"

#define NEEDS_PATCHED_KERNEL \
	"policies need a Linux kernel built with the ublkpol patch series (kernel/patches)"

/* Value of enumerator @name of enum @type, or -1 */
static int btf_enumerator(const struct btf *btf, const char *type, const char *name)
{
	__s32 id = btf__find_by_name_kind(btf, type, BTF_KIND_ENUM);
	const struct btf_enum *values;
	const struct btf_type *t;
	int i;

	if (id < 0)
		return -1;

	t = btf__type_by_id(btf, (__u32)id);
	values = btf_enum(t);
	for (i = 0; i < btf_vlen(t); i++) {
		if (!strcmp(btf__name_by_offset(btf, values[i].name_off), name))
			return values[i].val;
	}
	return -1;
}

static void probe_btf(struct kernel_features *features)
{
	struct btf *btf = btf__parse_raw(KERNEL_FEATURES_BTF);

	if (!btf) {
		features->btf_error = -errno;
		return;
	}
	features->prog_type = btf_enumerator(btf, "bpf_prog_type", "BPF_PROG_TYPE_UBLK");
	features->attach_type = btf_enumerator(btf, "bpf_attach_type", "BPF_UBLK_ROUTE");
	features->complete_type = btf_enumerator(btf, "bpf_attach_type", "BPF_UBLK_COMPLETE");
	features->queue_sqe = btf_enumerator(btf, "bpf_func_id", "BPF_FUNC_ublk_queue_sqe");
	btf__free(btf);
}

static void probe_ublk(struct kernel_features *features)
{
	struct ublk_control control;

	features->ublk_error = ublk_control_open(&control, NULL);
	if (features->ublk_error)
		return;
	features->ublk_error = ublk_control_get_features(&control, &features->ublk_flags);
	ublk_control_close(&control);
}

void kernel_features_probe(struct kernel_features *features)
{
	*features = (struct kernel_features){
		.prog_type = -1,
		.attach_type = -1,
		.complete_type = -1,
		.queue_sqe = -1,
	};
	probe_btf(features);
	probe_ublk(features);
}

static int missing(struct ublkpol_error *err, const char *what)
{
	return error_set(err, UBLKPOL_ERR_KERNEL, -EOPNOTSUPP,
			 "this kernel has no %s: " NEEDS_PATCHED_KERNEL, what);
}

int kernel_features_require(const struct kernel_features *features, struct ublkpol_error *err)
{
	if (features->btf_error && features->btf_error != -ENOENT)
		return error_set(err, UBLKPOL_ERR_FAILED, features->btf_error,
				 "cannot read the kernel's types from " KERNEL_FEATURES_BTF ": %s",
				 strerror(-features->btf_error));
	if (features->btf_error)
		return error_set(err, UBLKPOL_ERR_KERNEL, -EOPNOTSUPP,
				 "this kernel does not describe its types (" KERNEL_FEATURES_BTF
				 " is missing): build it with CONFIG_BPF_SYSCALL and "
				 "CONFIG_DEBUG_INFO_BTF");
	if (features->prog_type < 0)
		return missing(err, "BPF_PROG_TYPE_UBLK");
	if (features->attach_type < 0)
		return missing(err, "BPF_UBLK_ROUTE");
	if (features->complete_type < 0)
		return missing(err, "BPF_UBLK_COMPLETE");
	if (features->queue_sqe < 0)
		return missing(err, "bpf_ublk_queue_sqe()");
	if (features->ublk_error)
		return ublk_control_explain(features->ublk_error, err);
	if (!(features->ublk_flags & UBLK_F_BPF))
		return missing(err, "UBLK_F_BPF in its ublk driver");
	return 0;
}
