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
		.counters_fd = policy_object_counters_fd(policy),
		.nr_cpus = libbpf_num_possible_cpus(),
	};
	router->nr_counters = router_map_entries(router->counters_fd);
	return router->plan_fd < 0 || !router->nr_counters ? -EINVAL : 0;
}

static __u64 *router_copy_params(struct policy_object *policy)
{
	int fd = policy_object_map_fd(policy, UBLKPOL_PARAMS_SECTION);
	__u64 *params = calloc(policy_object_header(policy)->nr_params + 1, sizeof(*params));
	__u32 zero = 0;

	if (params && fd >= 0 && bpf_map_lookup_elem(fd, &zero, params)) {
		free(params);
		return NULL;
	}
	return params;
}

/* All entries of an array map, and one more; NULL if it is not there */
static void *router_copy_map(struct policy_object *policy, const char *name, size_t value_size,
			     __u32 *nr)
{
	int fd = policy_object_map_fd(policy, name);
	char *values;

	*nr = fd < 0 ? 0 : router_map_entries(fd);
	values = calloc(*nr + 1, value_size);
	for (__u32 i = 0; values && i < *nr; i++) {
		if (bpf_map_lookup_elem(fd, &i, values + i * value_size)) {
			free(values);
			return NULL;
		}
	}
	return values;
}

static int router_copy_tables(struct router *router, struct policy_object *policy)
{
	int config_fd = policy_object_map_fd(policy, UBLKPOL_CONFIG_SECTION);
	int search_fd = policy_object_map_fd(policy, UBLKPOL_SEARCH_SECTION);
	const struct ublkpol_header *header = policy_object_header(policy);
	struct ublkpol_native *env = calloc(1, sizeof(*env));
	__u32 zero = 0, nr;

	router->env = env;
	if (!env)
		return -ENOMEM;
	env->segments = router_copy_map(policy, UBLKPOL_SEGMENTS_MAP, sizeof(*env->segments),
					&env->nr_segments);
	env->buckets =
		router_copy_map(policy, UBLKPOL_INDEX_MAP, sizeof(*env->buckets), &env->nr_buckets);
	env->choices = router_copy_map(policy, UBLKPOL_CHOICES_MAP, sizeof(*env->choices),
				       &env->nr_choices);
	env->mirrors = router_copy_map(policy, UBLKPOL_MIRRORS_MAP, sizeof(*env->mirrors), &nr);
	if (bpf_map_lookup_elem(config_fd, &zero, &env->config) ||
	    bpf_map_lookup_elem(search_fd, &zero, &env->search))
		return -errno;
	env->legs = policy_object_legs(policy);
	env->nr_legs = header->nr_legs;
	router->nr_counters = router_map_entries(policy_object_counters_fd(policy));
	env->counters = calloc(router->nr_counters, sizeof(*env->counters));
	env->nr_counters = router->nr_counters;
	env->ticks = calloc(header->nr_rules + 1, sizeof(*env->ticks));
	env->limiters = calloc(header->nr_modifiers + 1, sizeof(*env->limiters));
	env->params = router_copy_params(policy);
	return env->segments && env->buckets && env->choices && env->mirrors && env->counters &&
			       env->ticks && env->limiters && env->params
		       ? 0
		       : -ENOMEM;
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
	if (!router->is_native)
		return;
	if (router->env) {
		free((void *)router->env->segments);
		free((void *)router->env->buckets);
		free((void *)router->env->choices);
		free((void *)router->env->params);
		free(router->env->mirrors);
		free(router->env->counters);
		free(router->env->ticks);
		free(router->env->limiters);
	}
	free(router->env);
	if (router->library)
		dlclose(router->library);
}

static int router_run_syscall(struct router *router, const struct ublk_bpf_ctx *ctx)
{
	struct ublk_bpf_ctx copy = *ctx;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &copy, .ctx_size_in = sizeof(copy), );
	__u32 zero = 0;

	router->plan.nr_items = 0;
	if (bpf_map_update_elem(router->plan_fd, &zero, &router->plan, BPF_ANY) ||
	    bpf_prog_test_run_opts(router->prog_fd, &opts) ||
	    bpf_map_lookup_elem(router->plan_fd, &zero, &router->plan)) {
		printf("BPF_PROG_TEST_RUN: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	return (int)opts.retval;
}

int router_run(struct router *router, const struct ublk_bpf_ctx *ctx)
{
	int ret;

	if (!router->is_native)
		return router_run_syscall(router, ctx);
	router->env->plan.nr_items = 0;
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
