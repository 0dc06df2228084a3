/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_GENERATION_H
#define RUNTIME_GENERATION_H

/*
 * A generation: a policy, its parameters, and the backends that it is laid out
 * on. A new device, a new policy on a live one and a new daemon all bring one
 * to a device, in these steps:
 *
 *	generation_open();	what is needed is there: nothing has changed yet
 *	generation_load();	the kernel has the program
 *	generation_attach();	the device uses it
 */
#include "backend.h"
#include "error.h"
#include "policy_object.h"
#include "ublk_control.h"

struct generation_source {
	const char *object; /* path of the compiled policy */
	const struct ublkpol_binding *bindings;
	size_t nr_bindings;
	/*
	 * The device that gets it, or NULL: gives files to the backends without
	 * a binding, and values to the parameters
	 */
	const struct ublkpol_info *device;
	bool is_live; /* @device has its files open: go on with those */
	bool same_policy; /* @device goes on with its policy: counters go on */
	/* What @device promised when it was started; NULL: it is not started */
	const struct ublk_params *fixed;
	__u64 given_up; /* slots of @device that nobody relies on: see mirrors_given_up() */
	ublkpol_report_fn report; /* may be NULL */
	void *report_arg;
};

struct generation {
	struct generation_source source;
	struct policy_object *policy;
	struct backend *backends;
	unsigned int nr_backends;
	struct ublk_params params; /* what the device has to promise */
	/* Of the generation whose place it takes: nobody relies on what these slots hold */
	__u64 no_flush;
};

/**
 * generation_open() - open policy and backends, and lay one out on the other
 * @gen: filled in; to be freed with generation_free(), after failures too
 * @source: what it comes from; what it points to must outlive @gen
 * @err: says why policy, backends and device do not go together
 */
int generation_open(struct generation *gen, const struct generation_source *source,
		    struct ublkpol_error *err);

/**
 * generation_check_stacking() - no backend may be the device itself, or stand on it
 *
 * generation_open() has done it. Again, under state_lock(), it is certain: of two
 * swaps that would stack their devices on each other, one sees the note of the other.
 */
int generation_check_stacking(const struct generation *gen, struct ublkpol_error *err);

/** generation_load() - after generation_open(): load the program, not yet in use */
int generation_load(struct generation *gen, struct ublkpol_error *err);

/**
 * generation_attach() - after generation_load(): let device @id use it
 *
 * If the device is live, it has taken the place of what was there when this
 * returns 0, and of nothing if it failed.
 */
int generation_attach(struct generation *gen, struct ublk_control *control, int id,
		      struct ublkpol_error *err);

/**
 * generation_describe() - what the state file says of it
 * @info: policy, backends, values and program id are set; the caller frees
 *	  them with state_free_generation(), also after a failure
 * @policy: path that the user gave
 *
 * Return: 0 or -ENOMEM
 */
int generation_describe(const struct generation *gen, const char *policy, struct ublkpol_info *info,
			struct ublkpol_error *err);

/** generation_keep() - write files and pins of it, as @info->generation of @info->id */
int generation_keep(const struct generation *gen, const struct ublkpol_info *info,
		    struct ublkpol_error *err);

/** generation_release_backends() - close the files: the kernel has its own references */
void generation_release_backends(struct generation *gen);

void generation_free(struct generation *gen);

/** generation_report() - a sentence to the caller of the library */
void generation_report(const struct generation_source *source, enum ublkpol_report_level level,
		       const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/**
 * generation_report_new_leg() - tell the user of device @id what becomes of a leg
 * @held: it is written, and not read yet
 */
void generation_report_new_leg(const struct generation *gen, int id, unsigned int backend,
			       bool held);

#endif
