// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <bpf/btf.h>
#include <linux/capability.h>

#include "kernel_features.h"
#include "test_program.h"

static int failures;
static struct kernel_features features;

void check(bool ok, const char *fmt, ...)
{
	va_list args;

	printf("%s ", ok ? "ok  " : "FAIL");
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	/* what is known when a test hangs */
	fflush(stdout);
	failures += !ok;
}

int check_result(void)
{
	fflush(stdout);
	return failures ? 1 : 0;
}

void require(long ret, const char *fmt, ...)
{
	va_list args;

	if (ret >= 0)
		return;
	fflush(stdout);
	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror((int)-ret));
	exit(1);
}

int require_fd(int fd, const char *what)
{
	require(fd < 0 ? -errno : 0, "%s", what);
	return fd;
}

void drop_capability(unsigned int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	require(syscall(SYS_capget, &header, data) ? -errno : 0, "capget");
	data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
	require(syscall(SYS_capset, &header, data) ? -errno : 0, "capset");
}

static void patch_helper(struct bpf_program *prog)
{
	size_t nr = bpf_program__insn_cnt(prog);
	struct bpf_insn *insns = malloc(nr * sizeof(*insns));
	size_t i;

	memcpy(insns, bpf_program__insns(prog), nr * sizeof(*insns));
	for (i = 0; i < nr; i++)
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == HELPER_BY_NAME)
			insns[i].imm = features.queue_sqe;
	require(bpf_program__set_insns(prog, insns, nr), "set_insns");
	free(insns);
}

static int prepare(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	(void)opts;
	(void)cookie;
	patch_helper(prog);
	return 0;
}

struct bpf_object *programs_open(const char *path)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, handler, .prog_prepare_load_fn = prepare);
	struct bpf_object *object;

	kernel_features_probe(&features);
	if (features.prog_type < 0) {
		fprintf(stderr, "this kernel has no BPF_PROG_TYPE_UBLK\n");
		exit(1);
	}
	require(libbpf_register_prog_handler("ublk", features.prog_type, features.attach_type,
					     &handler),
		"register SEC(\"ublk\")");
	require(libbpf_register_prog_handler("ublk/complete", features.prog_type,
					     features.complete_type, &handler),
		"register SEC(\"ublk/complete\")");
	object = bpf_object__open(path);
	require(object ? 0 : -errno, "open %s", path);
	return object;
}

void programs_load(struct bpf_object *object)
{
	require(bpf_object__load(object), "load %s", bpf_object__name(object));
}

int program_fd(const struct bpf_object *object, const char *name)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(object, name);

	require(prog ? 0 : -ENOENT, "program %s", name);
	return bpf_program__fd(prog);
}

int map_fd(const struct bpf_object *object, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(object, name);

	require(fd, "map %s", name);
	return fd;
}

static __u32 constant_offset(const struct btf *btf, const char *name)
{
	const struct btf_type *section;
	const struct btf_var_secinfo *var;
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	int i;

	require(id, ".rodata");
	section = btf__type_by_id(btf, (__u32)id);
	var = btf_var_secinfos(section);
	for (i = 0; i < btf_vlen(section); i++) {
		const struct btf_type *type = btf__type_by_id(btf, var[i].type);

		if (!strcmp(btf__name_by_offset(btf, type->name_off), name))
			return var[i].offset;
	}
	require(-ENOENT, "constant %s", name);
	return 0;
}

void constant_set(struct bpf_object *object, const char *name, const void *value, size_t size)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	const void *data;
	size_t total;
	char *copy;

	require(map ? 0 : -ENOENT, ".rodata");
	data = bpf_map__initial_value(map, &total);
	copy = malloc(total);
	memcpy(copy, data, total);
	memcpy(copy + constant_offset(bpf_object__btf(object), name), value, size);
	require(bpf_map__set_initial_value(map, copy, total), "set constant %s", name);
	free(copy);
}
