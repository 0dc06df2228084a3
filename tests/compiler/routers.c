// SPDX-License-Identifier: GPL-2.0-only
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "routers.h"

static unsigned int router_map_entries(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.max_entries;
}

int router_open_syscall(struct router *router, struct policy_object *policy)
{
	*router = (struct router){
		.name = "bpf",
		.prog_fd = policy_object_prog_fd(policy),
		.plan_fd = policy_object_map_fd(policy, UBLKPOL_PLAN_MAP),
		.inputs_fd = policy_object_map_fd(policy, UBLKPOL_INPUTS_MAP),
		.counters_fd = policy_object_counters_fd(policy),
		.nr_cpus = libbpf_num_possible_cpus(),
	};
	router->nr_counters = router_map_entries(router->counters_fd);
	return router->plan_fd < 0 || !router->nr_counters ? -EINVAL : 0;
}

/* --- tables of the native program --- */

/*
 * A copy of an array map, or of nothing if the policy has no such map: then one
 * entry of zeroes. Never freed by itself: see router_close().
 */
static void *router_copy_map(struct policy_object *policy, const char *name, size_t value_size,
			     __u32 *nr)
{
	int fd = policy_object_map_fd(policy, name);
	__u32 entries = fd < 0 ? 0 : router_map_entries(fd);
	char *copy = calloc(entries + 1, value_size);

	for (__u32 i = 0; copy && i < entries; i++) {
		if (bpf_map_lookup_elem(fd, &i, copy + i * value_size)) {
			free(copy);
			return NULL;
		}
	}
	if (nr)
		*nr = entries;
	return copy;
}

/* A section that libbpf makes a map of one entry, which may be larger than @size */
static int router_copy_section(struct policy_object *policy, const char *name, void *to,
			       size_t size)
{
	int fd = policy_object_map_fd(policy, name);
	struct bpf_map_info info = { 0 };
	__u32 info_size = sizeof(info), zero = 0;
	void *value;
	int err;

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &info_size) || info.value_size < size)
		return -EINVAL;
	value = calloc(1, info.value_size);
	err = bpf_map_lookup_elem(fd, &zero, value) ? -errno : 0;
	if (!err)
		memcpy(to, value, size);
	free(value);
	return err;
}

static int router_copy_params(struct router *router, struct policy_object *policy)
{
	unsigned int nr = policy_object_header(policy)->nr_params;
	__u64 *params = calloc(nr + 1, sizeof(*params));

	router->env->params = params;
	return nr ? router_copy_section(policy, UBLKPOL_PARAMS_SECTION, params,
					nr * sizeof(*params))
		  : 0;
}

static int router_copy_tables(struct router *router, struct policy_object *policy)
{
	struct ublkpol_native *env = calloc(1, sizeof(*env));

	router->env = env;
	router->nr_counters = router_map_entries(policy_object_counters_fd(policy));
	env->segments = router_copy_map(policy, UBLKPOL_SEGMENTS_MAP, sizeof(*env->segments),
					&env->nr_segments);
	env->buckets =
		router_copy_map(policy, UBLKPOL_INDEX_MAP, sizeof(*env->buckets), &env->nr_buckets);
	env->nodes = router_copy_map(policy, UBLKPOL_TREE_MAP, sizeof(*env->nodes), &env->nr_nodes);
	env->choices = router_copy_map(policy, UBLKPOL_CHOICES_MAP, sizeof(*env->choices),
				       &env->nr_choices);
	env->ticks = router_copy_map(policy, UBLKPOL_TICKS_MAP, sizeof(*env->ticks), NULL);
	env->limiters = router_copy_map(policy, UBLKPOL_LIMITS_MAP, sizeof(*env->limiters), NULL);
	env->mirrors = router_copy_map(policy, UBLKPOL_MIRRORS_MAP, sizeof(*env->mirrors), NULL);
	env->legs = policy_object_legs(policy);
	env->nr_legs = policy_object_header(policy)->nr_legs;
	env->counters = calloc(router->nr_counters, sizeof(*env->counters));
	env->nr_counters = router->nr_counters;
	if (!env->segments || !env->buckets || !env->nodes || !env->choices || !env->ticks ||
	    !env->limiters || !env->mirrors || !env->counters)
		return -ENOMEM;
	if (router_copy_section(policy, UBLKPOL_CONFIG_SECTION, &env->config,
				sizeof(env->config)) ||
	    router_copy_section(policy, UBLKPOL_SEARCH_SECTION, &env->search, sizeof(env->search)))
		return -EINVAL;
	return router_copy_params(router, policy);
}

int router_open_native(struct router *router, const char *library, struct policy_object *policy)
{
	*router = (struct router){ .name = "native", .is_native = true };
	router->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!router->library) {
		printf("%s\n", dlerror());
		return -EINVAL;
	}
	*(void **)&router->route = dlsym(router->library, UBLKPOL_NATIVE_SYMBOL);
	if (!router->route)
		return -EINVAL;
	return router_copy_tables(router, policy);
}

void router_close(struct router *router)
{
	struct ublkpol_native *env = router->env;

	if (!router->is_native)
		return;
	if (env) {
		free((void *)env->segments);
		free((void *)env->buckets);
		free((void *)env->nodes);
		free((void *)env->choices);
		free((void *)env->params);
		free(env->ticks);
		free(env->limiters);
		free(env->mirrors);
		free(env->counters);
	}
	free(env);
	if (router->library)
		dlclose(router->library);
}

/* --- requests --- */

static int router_run_syscall(struct router *router, const struct ublk_bpf_ctx *ctx,
			      const struct ublkpol_inputs *inputs)
{
	struct ublk_bpf_ctx copy = *ctx;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &copy, .ctx_size_in = sizeof(copy), );
	__u32 zero = 0;

	router->plan.nr_items = 0;
	if ((router->inputs_fd >= 0 &&
	     bpf_map_update_elem(router->inputs_fd, &zero, inputs, BPF_ANY)) ||
	    bpf_map_update_elem(router->plan_fd, &zero, &router->plan, BPF_ANY) ||
	    bpf_prog_test_run_opts(router->prog_fd, &opts) ||
	    bpf_map_lookup_elem(router->plan_fd, &zero, &router->plan)) {
		printf("BPF_PROG_TEST_RUN: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	return (int)opts.retval;
}

int router_run(struct router *router, const struct ublk_bpf_ctx *ctx,
	       const struct ublkpol_inputs *inputs)
{
	int ret;

	if (!router->is_native)
		return router_run_syscall(router, ctx, inputs);
	router->env->plan.nr_items = 0;
	router->env->inputs = *inputs;
	ret = router->route(router->env, ctx);
	router->plan = router->env->plan;
	return ret;
}

static void router_add(struct ublkpol_counters *sum, const struct ublkpol_counters *counters)
{
	for (unsigned int op = 0; op < UBLKPOL_NR_OPS; op++) {
		sum->requests[op] += counters->requests[op];
		sum->bytes[op] += counters->bytes[op];
	}
}

int router_counters(const struct router *router, unsigned int index, struct ublkpol_counters *sum)
{
	struct ublkpol_counters *per_cpu;

	*sum = (struct ublkpol_counters){ 0 };
	if (router->is_native) {
		router_add(sum, &router->env->counters[index]);
		return 0;
	}
	per_cpu = calloc(router->nr_cpus, sizeof(*per_cpu));
	if (!per_cpu || bpf_map_lookup_elem(router->counters_fd, &index, per_cpu)) {
		free(per_cpu);
		return -EIO;
	}
	for (unsigned int cpu = 0; cpu < router->nr_cpus; cpu++)
		router_add(sum, &per_cpu[cpu]);
	free(per_cpu);
	return 0;
}
