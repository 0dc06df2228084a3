/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TESTS_COMPILER_ROUTERS_H
#define TESTS_COMPILER_ROUTERS_H

/*
 * The two ways to run a policy's program on this machine: as plain C from a
 * shared object, and as SEC("syscall") through the kernel's verifier and JIT.
 */
#include <stdbool.h>

#include "policy_object.h"
#include "ublkpol_native.h"

struct router {
	const char *name;
	bool is_native;

	/* native */
	void *library;
	typeof(ublkpol_route_native) *route;
	struct ublkpol_native *env;

	/* syscall */
	int prog_fd;
	int plan_fd;
	int inputs_fd;
	int counters_fd;
	unsigned int nr_cpus;

	unsigned int nr_counters;
	struct ublkpol_plan plan; /* of the last router_run() */
};

/**
 * router_open_syscall() - run the program in this machine's kernel
 * @policy: resolved and loaded as a SEC("syscall") program; outlives the router
 */
int router_open_syscall(struct router *router, struct policy_object *policy);

/**
 * router_open_native() - run the program in this process
 * @library: shared object of the program, built with -DUBLKPOL_NATIVE
 * @policy: the same policy, loaded and not run yet: its tables are copied
 */
int router_open_native(struct router *router, const char *library, struct policy_object *policy);

void router_close(struct router *router);

/**
 * router_run() - route one request
 * @inputs: what the program finds in the place of the kernel's answers
 *
 * Return: the program's result; what it queued is in @router->plan
 */
int router_run(struct router *router, const struct ublk_bpf_ctx *ctx,
	       const struct ublkpol_inputs *inputs);

/** router_counters() - sum over all CPUs of entry @index */
int router_counters(const struct router *router, unsigned int index, struct ublkpol_counters *sum);

#endif
