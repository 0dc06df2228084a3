// SPDX-License-Identifier: GPL-2.0-only
/*
 * Another generation for a live device. The order of things makes sure that
 * whoever dies half way leaves a device that can still be understood:
 *
 *	files and pins of the new generation, the note "next"
 *	UBLK_U_CMD_ATTACH_BPF: the kernel has switched
 *	"next" becomes "state"
 *	files and pins of the old generation go
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <bpf/bpf.h>

#include "error.h"
#include "generation.h"
#include "list.h"
#include "mirrors.h"
#include "pins.h"
#include "state.h"
#include "stats.h"
#include "swap.h"
#include "ublk_control.h"

static void forget_generation(int id, unsigned int generation)
{
	state_remove_files(id, generation);
	pins_remove(id, generation);
}

/* --- after an accident --- */

/* 1 or 0, or why it is not known */
static int program_exists(__u32 prog_id)
{
	int fd = bpf_prog_get_fd_by_id(prog_id);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	close(fd);
	return 1;
}

/*
 * The kernel alone keeps the program of the generation in use. When the daemon
 * has died as well, no program is left; then the counters tell: either the new
 * generation has served a request, or nothing is lost by going back. After a "set" they
 * are those of both: it is taken to have been in force then.
 */
static int kernel_has_switched(const struct ublkpol_info *next)
{
	int ret = program_exists(next->prog_id);

	return ret ? ret : stats_has_counted(next);
}

/* The process did not come to tell the new generation what the old one knew at its end */
static int settle_on_next(struct ublkpol_info *next, const struct ublkpol_info *current,
			  struct ublkpol_error *err)
{
	struct mirrors_news news;
	int ret;

	ret = mirrors_inherit(next, current, &news, err);
	if (!ret && news.any)
		ret = state_save_next(next, err);
	if (!ret)
		ret = state_commit_next(next->id, err);
	if (!ret)
		forget_generation(current->id, current->generation);
	return ret;
}

static void settle_on_current(const struct ublkpol_info *next)
{
	state_drop_next(next->id);
	forget_generation(next->id, next->generation);
}

static int settle_note(struct ublkpol_info *next, struct ublkpol_error *err)
{
	struct ublkpol_info current;
	int ret;

	ret = state_load(next->id, &current);
	if (!ret)
		ret = kernel_has_switched(next);
	if (ret > 0) {
		ret = settle_on_next(next, &current, err);
	} else if (!ret || ret == -ENOENT) {
		settle_on_current(next);
		ret = 0;
	} else {
		error_set(err, UBLKPOL_ERR_FAILED, ret,
			  "cannot find out how the last swap of device %d ended: %s", next->id,
			  strerror(-ret));
	}
	state_free_info(&current);
	return ret;
}

int swap_settle_locked(int id, struct ublkpol_error *err)
{
	struct ublkpol_info next;
	int ret;

	ret = state_load_next(id, &next);
	if (!ret) {
		ret = settle_note(&next, err);
	} else if (ret == -EINVAL || ret == -ENOENT) {
		state_drop_next(id);
		ret = 0;
	} else {
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot read the state of device %d: %s",
			  id, strerror(-ret));
	}
	state_free_info(&next);
	return ret;
}

void swap_settle(int id)
{
	int lock_fd;

	if (!state_has_next(id) || state_try_lock_device(id, &lock_fd))
		return;
	swap_settle_locked(id, NULL);
	close(lock_fd);
}

/* --- parameters --- */

static struct ublkpol_value_info *find_value(struct ublkpol_info *info, const char *name)
{
	unsigned int i;

	for (i = 0; i < info->nr_values; i++) {
		if (!strcmp(info->values[i].name, name))
			return &info->values[i];
	}
	return NULL;
}

static int set_value(struct ublkpol_info *info, const struct ublkpol_value *value)
{
	struct ublkpol_value_info *entry = find_value(info, value->name), *grown;
	char *text;

	if (!entry) {
		grown = realloc(info->values, (info->nr_values + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		info->values = grown;
		entry = &grown[info->nr_values];
		*entry = (struct ublkpol_value_info){ .name = strdup(value->name) };
		info->nr_values++;
		if (!entry->name)
			return -ENOMEM;
	}
	text = strdup(value->text);
	if (!text)
		return -ENOMEM;
	free(entry->text);
	entry->text = text;
	return 0;
}

static int merge_values(struct ublkpol_info *info, const struct ublkpol_swap_options *options,
			struct ublkpol_error *err)
{
	size_t i;

	for (i = 0; i < options->nr_values; i++) {
		if (set_value(info, &options->values[i]))
			return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	}
	return 0;
}

/* --- replacement --- */

/* A reclaim that waits for the device must not wait for the swap of it, too */
static int attach_as_io_flusher(struct generation *gen, struct ublk_control *control, int id,
				struct ublkpol_error *err)
{
	int was = prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0), ret;

	if (!was)
		prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
	ret = generation_attach(gen, control, id, err);
	if (!was)
		prctl(PR_SET_IO_FLUSHER, 0, 0, 0, 0);
	return ret;
}

/*
 * The device may have been deleted meanwhile, and its number be somebody else's: then
 * there is nothing to write. @lock_fd: until it is closed, the device stays.
 */
static int lock_state_of(int id, int device_lock, int *lock_fd, struct ublkpol_error *err)
{
	int ret = state_lock(lock_fd, err);

	if (ret || state_lock_is_current(id, device_lock))
		return ret;
	close(*lock_fd);
	return error_set(err, UBLKPOL_ERR_NO_DEVICE, -ENODEV, "device %d was deleted meanwhile",
			 id);
}

/* @held: new legs that are not read yet */
static void report_news(const struct generation *gen, const struct ublkpol_info *next,
			const struct mirrors_news *news, __u64 held)
{
	__u64 old = news->stale & policy_object_read_alone(gen->policy);
	__u64 joined = policy_object_joined(gen->policy, ~news->kept) | held;
	unsigned int b;

	for (b = 0; b < next->nr_backends; b++) {
		const char *name = next->backends[b].name;

		if (old & (1ULL << b))
			generation_report(&gen->source, UBLKPOL_REPORT_WARNING,
					  "backend %s has missed writes since it failed one in a "
					  "mirror: what this policy reads there is old",
					  name);
		if (joined & (1ULL << b) && !gen->backends[b].missing && !gen->source.same_policy)
			generation_report_new_leg(gen, next->id, b, held & (1ULL << b));
		if (news->doubtful & (1ULL << b))
			generation_report(&gen->source, UBLKPOL_REPORT_WARNING,
					  "backend %s has missed writes of another mirror: where "
					  "that one was, it is old",
					  name);
	}
}

/* Files, pins and the note of the next generation; nothing is left after a failure */
static int note_next(struct generation *gen, struct ublkpol_info *next,
		     const struct ublkpol_info *old, int device_lock, struct ublkpol_error *err)
{
	struct mirrors_news news = { 0 };
	__u64 held = 0;
	int lock_fd, ret;

	ret = lock_state_of(old->id, device_lock, &lock_fd, err);
	if (ret)
		return ret;
	ret = generation_check_stacking(gen, err);
	if (!ret)
		ret = generation_keep(gen, next, err);
	if (!ret)
		ret = mirrors_inherit(next, old, &news, err);
	if (!ret)
		ret = news.hopeless ? mirrors_no_good_leg(next, news.hopeless, err)
				    : mirrors_do_without_missing(next, err);
	if (!ret)
		ret = mirrors_hold_back(next, old, &held, err);
	if (!ret)
		ret = state_save_next(next, err);
	if (ret)
		settle_on_current(next);
	else
		report_news(gen, next, &news, held);
	close(lock_fd);
	return ret;
}

/* @attached: did the kernel take it? */
static int conclude(struct ublkpol_info *next, const struct ublkpol_info *old, bool attached,
		    int device_lock, struct ublkpol_error *err)
{
	int lock_fd, ret;

	ret = lock_state_of(old->id, device_lock, &lock_fd, err);
	if (ret)
		return ret;
	if (attached)
		ret = settle_on_next(next, old, err);
	else
		settle_on_current(next);
	close(lock_fd);
	return ret;
}

/* What is missing from now on, and has copies, may not even answer a flush */
static int find_unneeded(struct generation *gen, const struct ublkpol_info *old,
			 struct ublkpol_error *err)
{
	__u64 missing = 0, alone = 0;
	unsigned int b, i;
	int ret = 0;

	for (b = 0; b < gen->nr_backends; b++) {
		for (i = 0; gen->backends[b].missing && i < old->nr_backends; i++)
			missing |= (__u64)!strcmp(gen->backends[b].name, old->backends[i].name)
				   << i;
	}
	if (missing)
		ret = mirrors_written_alone(old, &alone, err);
	gen->no_flush = gen->source.given_up | (missing & ~alone);
	return ret;
}

static int replace(struct generation *gen, struct ublk_control *control,
		   const struct ublkpol_info *old, const char *policy, int device_lock,
		   struct ublkpol_error *err)
{
	struct ublkpol_info next = *old;
	struct ublkpol_error gone;
	int ret;

	next.policy = NULL;
	next.backends = NULL;
	next.nr_backends = 0;
	next.values = NULL;
	next.nr_values = 0;
	next.generation = old->generation + 1;
	ret = generation_describe(gen, policy, &next, err);
	if (!ret)
		ret = find_unneeded(gen, old, err);
	if (!ret)
		ret = note_next(gen, &next, old, device_lock, err);
	if (!ret) {
		ret = attach_as_io_flusher(gen, control, next.id, err);
		if (ret)
			conclude(&next, old, false, device_lock, &gone);
		else
			ret = conclude(&next, old, true, device_lock, err);
	}
	state_free_generation(&next);
	return ret;
}

static int swap_locked(struct ublk_control *control, struct ublkpol_info *info,
		       const struct ublkpol_swap_options *options, int device_lock,
		       struct ublkpol_error *err)
{
	struct ublk_params fixed;
	char object[PATH_MAX];
	struct generation_source source = {
		.object = options->policy ? options->policy
					  : state_object_path(object, info->id, info->generation),
		.bindings = options->bindings,
		.nr_bindings = options->nr_bindings,
		.device = info,
		.is_live = true,
		.same_policy = !options->policy,
		.fixed = &fixed,
		.report = options->report,
		.report_arg = options->report_arg,
	};
	struct generation gen;
	int ret;

	ret = ublk_control_get_params(control, info->id, &fixed);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "the ublk driver cannot describe the device: %s", strerror(-ret));
	ret = merge_values(info, options, err);
	if (!ret)
		ret = mirrors_given_up(info, &source.given_up, err);
	if (ret)
		return ret;

	ret = generation_open(&gen, &source, err);
	if (!ret)
		ret = generation_load(&gen, err);
	if (!ret)
		ret = replace(&gen, control, info, options->policy ? options->policy : info->policy,
			      device_lock, err);
	generation_free(&gen);
	return ret;
}

int swap_lock_settled(struct ublk_control *control, int id, struct ublkpol_info *info,
		      int *device_lock, struct ublkpol_error *err)
{
	int ret;

	ret = list_find(control, id, info, err);
	if (ret)
		return ret;
	state_free_info(info);
	ret = state_lock_device(id, device_lock);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot lock device %d: %s", id,
				 strerror(-ret));
	ret = swap_settle_locked(id, err);
	if (!ret)
		ret = list_find(control, id, info, err);
	if (ret)
		close(*device_lock);
	return ret;
}

int ublkpol_swap(int id, const struct ublkpol_swap_options *options, struct ublkpol_error *err)
{
	struct ublk_control control = { .fd = -1 };
	struct ublkpol_info info;
	int device_lock, ret;

	ret = ublk_control_open(&control, err);
	if (!ret)
		ret = swap_lock_settled(&control, id, &info, &device_lock, err);
	if (ret)
		goto out;
	if (info.status == UBLKPOL_LIVE)
		ret = swap_locked(&control, &info, options, device_lock, err);
	else
		ret = error_set(err, UBLKPOL_ERR_FAILED, -EINVAL,
				"device %d is not live: see ublkpol list", id);
	state_free_info(&info);
	close(device_lock);
out:
	ublk_control_close(&control);
	return ret;
}
