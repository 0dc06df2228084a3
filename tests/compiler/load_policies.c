// SPDX-License-Identifier: GPL-2.0-only
/*
 * load-policies [--any-kernel] DIRECTORY: loads all objects there into the running
 * kernel: those that random-objects compiled, whose names are numbers, each with the
 * backends that it was drawn for, others with backends of 1 GiB.
 * The verifier has to take what the compiler took.
 *
 * With --any-kernel the same objects go through the verifier of a kernel that does
 * not know their type: as BPF_PROG_TYPE_SYSCALL, whose helper bpf_sys_bpf() takes
 * its arguments as bpf_ublk_queue_sqe() does. Nothing runs them.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel_features.h"
#include "policy_object.h"
#include "random_policy.h"

#define OTHER_BACKEND_SECTORS (1ULL << 21)

struct totals {
	unsigned int loaded, failed;
	unsigned long long steps;
	unsigned int most_steps;
};

/* The sizes of a random policy's backends come with it: draw it once more */
static int draw_sizes(const struct policy_object *object, unsigned int seed, __u64 *sectors,
		      unsigned int *block)
{
	const struct ublkpol_backend *backends = policy_object_backends(object);
	struct random_policy drawn;

	random_seed(seed);
	if (random_policy_write(&drawn, ".", "drawn"))
		return -errno;
	for (unsigned int i = 0; i < policy_object_header(object)->nr_backends; i++) {
		const char *name = policy_object_string(object, backends[i].name);

		sectors[i] = drawn.backend_sectors[random_policy_backend(name)];
	}
	*block = drawn.block * 512;
	return 0;
}

/* @seed@seed: of a random policy; -1: another one, which takes whatever is large enough */
static int resolve(struct policy_object *object, int seed, struct ublkpol_error *err)
{
	__u64 sectors[64] = { 0 };
	unsigned int block = 512;
	int ret;

	if (seed >= 0) {
		ret = draw_sizes(object, (unsigned int)seed, sectors, &block);
		if (ret)
			return ret;
	} else {
		for (unsigned int i = 0; i < 64; i++)
			sectors[i] = OTHER_BACKEND_SECTORS;
	}
	return policy_object_resolve(object, sectors, block, NULL, NULL, err);
}

static void count_steps(const struct policy_object *object, struct totals *totals)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	bpf_obj_get_info_by_fd(policy_object_prog_fd(object), &info, &size);
	totals->steps += info.verified_insns;
	if (info.verified_insns > totals->most_steps)
		totals->most_steps = info.verified_insns;
}

static void load(const char *path, int seed, const struct kernel_features *features,
		 struct totals *totals)
{
	struct policy_object *object = NULL;
	struct ublkpol_error err = { 0 };

	if (policy_object_open(&object, path, &err) || resolve(object, seed, &err) ||
	    policy_object_load(object, features, &err)) {
		printf("%s: %s\n", path, err.text);
		totals->failed++;
	} else {
		totals->loaded++;
		count_steps(object, totals);
	}
	policy_object_close(object);
}

static int load_all(const char *directory, const struct kernel_features *features)
{
	struct totals totals = { 0 };
	DIR *dir = opendir(directory);
	const struct dirent *entry;

	if (!dir) {
		perror(directory);
		return EXIT_FAILURE;
	}
	while ((entry = readdir(dir))) {
		int seed = isdigit((unsigned char)entry->d_name[0]) ? atoi(entry->d_name) : -1;
		char path[4096];

		snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
		if (strstr(entry->d_name, ".bpf.o"))
			load(path, seed, features, &totals);
	}
	closedir(dir);
	printf("%u policies loaded, %u not; the verifier took %llu steps for one, at most %u\n",
	       totals.loaded, totals.failed, totals.loaded ? totals.steps / totals.loaded : 0,
	       totals.most_steps);
	return totals.loaded && !totals.failed ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char *argv[])
{
	static const struct kernel_features any_kernel = {
		.prog_type = BPF_PROG_TYPE_SYSCALL,
		.prog_flags = BPF_F_SLEEPABLE,
		.queue_sqe = BPF_FUNC_sys_bpf,
	};
	struct kernel_features features;
	struct ublkpol_error err = { 0 };

	if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[1], "--any-kernel") != 0)) {
		fputs("usage: load-policies [--any-kernel] DIRECTORY\n", stderr);
		return 2;
	}
	libbpf_set_print(NULL);
	if (argc == 3)
		return load_all(argv[2], &any_kernel);
	kernel_features_probe(&features);
	if (kernel_features_require(&features, &err)) {
		fprintf(stderr, "%s\n", err.text);
		return EXIT_FAILURE;
	}
	return load_all(argv[1], &features);
}
