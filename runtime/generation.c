// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#include "device_params.h"
#include "generation.h"
#include "pins.h"
#include "stacking.h"
#include "state.h"

void generation_report(const struct generation_source *source, enum ublkpol_report_level level,
		       const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list args;

	if (!source->report)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	source->report(source->report_arg, level, text);
}

void generation_report_new_leg(const struct generation *gen, int id, unsigned int backend,
			       bool held)
{
	const char *name = gen->backends[backend].name;

	if (!held)
		generation_report(&gen->source, UBLKPOL_REPORT_WARNING,
				  "backend %s is new in a mirror that has no good leg beside it: "
				  "what it holds is what is read",
				  name);
	else if (policy_object_read_alone(gen->policy) >> backend & 1)
		generation_report(&gen->source, UBLKPOL_REPORT_WARNING,
				  "backend %s is new in a mirror, but this policy reads it by "
				  "itself, too: what it holds is what is read there",
				  name);
	else
		generation_report(
			&gen->source, UBLKPOL_REPORT_WARNING,
			"backend %s is new in a mirror: it is written, but not read until "
			"'ublkpol insync -n %d %s' says that it is a copy of the others",
			name, id, name);
}

/* --- backends --- */

static int find_backend(const struct generation *gen, const char *name)
{
	unsigned int i;

	for (i = 0; i < gen->nr_backends; i++) {
		if (!strcmp(gen->backends[i].name, name))
			return (int)i;
	}
	return -1;
}

static int unknown_backend(const struct generation *gen, const char *name,
			   struct ublkpol_error *err)
{
	char known[512] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < gen->nr_backends && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, " %s",
					 gen->backends[i].name);
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 "the policy has no backend '%s'; its backends are:%s", name, known);
}

/* The device's own files come before the default paths of the policy */
static void bind_to_device(struct generation *gen)
{
	const struct ublkpol_info *device = gen->source.device;
	unsigned int i;
	int slot;

	for (i = 0; device && i < device->nr_backends; i++) {
		slot = find_backend(gen, device->backends[i].name);
		if (slot < 0)
			continue;
		gen->backends[slot].path = device->backends[i].path;
		gen->backends[slot].expected = &device->backends[i];
		gen->backends[slot].given_up = gen->source.given_up >> i & 1;
	}
}

/* What a swap names may have another size: a recovery goes on with what was there */
static void forget_sizes_of_moved(struct generation *gen)
{
	unsigned int i;

	for (i = 0; gen->source.is_live && i < gen->nr_backends; i++) {
		if (gen->backends[i].moved)
			gen->backends[i].expected = NULL;
	}
}

static int bind_backends(struct generation *gen, struct ublkpol_error *err)
{
	const struct ublkpol_binding *bindings = gen->source.bindings;
	unsigned int i;
	size_t b;
	int slot;

	bind_to_device(gen);
	for (b = 0; b < gen->source.nr_bindings; b++) {
		slot = find_backend(gen, bindings[b].name);
		if (slot < 0)
			return unknown_backend(gen, bindings[b].name, err);
		gen->backends[slot].path = bindings[b].path;
		gen->backends[slot].moved = true;
		gen->backends[slot].given_up = false;
	}
	forget_sizes_of_moved(gen);
	for (i = 0; i < gen->nr_backends; i++) {
		if (!*gen->backends[i].path)
			return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
					 "backend %s has no file: add --backend %s=PATH",
					 gen->backends[i].name, gen->backends[i].name);
	}
	return 0;
}

static void report_backends(const struct generation *gen)
{
	unsigned int i;

	for (i = 0; i < gen->nr_backends; i++) {
		const struct backend *b = &gen->backends[i];

		if (b->problem)
			generation_report(&gen->source, UBLKPOL_REPORT_WARNING,
					  "%s: its mirrors have failed it, the device goes on "
					  "without it",
					  b->problem);
		if (b->missing) {
			generation_report(&gen->source, UBLKPOL_REPORT_DETAIL,
					  "backend %s: missing", b->name);
			continue;
		}
		generation_report(&gen->source, UBLKPOL_REPORT_DETAIL,
				  "backend %s: %s, %llu bytes, %s I/O, blocks of %u, buffers "
				  "aligned to %u%s",
				  b->name, b->real_path, (unsigned long long)b->size,
				  b->direct ? "direct" : "buffered", b->block_size, b->memory_align,
				  b->keep < 0 ? "" : ", stays open");
	}
}

int generation_check_stacking(const struct generation *gen, struct ublkpol_error *err)
{
	const struct ublkpol_info *device = gen->source.device;
	unsigned int i;
	int ret = 0;

	/* Nothing can stand yet on a device that is only being made */
	for (i = 0; device && !ret && i < gen->nr_backends; i++) {
		if (!gen->backends[i].missing)
			ret = stacking_check(&gen->backends[i], device->id, err);
	}
	return ret;
}

static int open_backends(struct generation *gen, struct ublkpol_error *err)
{
	const struct ublkpol_header *header = policy_object_header(gen->policy);
	const struct ublkpol_backend *table = policy_object_backends(gen->policy);
	__u64 legs = policy_object_only_legs(gen->policy);
	unsigned int i;
	int ret;

	gen->backends = calloc(header->nr_backends + 1, sizeof(*gen->backends));
	if (!gen->backends)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	for (i = 0; i < header->nr_backends; i++) {
		gen->backends[i].fd = -1;
		gen->backends[i].name = policy_object_string(gen->policy, table[i].name);
		gen->backends[i].path = policy_object_string(gen->policy, table[i].path);
		gen->backends[i].is_leg = legs >> i & 1;
	}
	gen->nr_backends = header->nr_backends;

	ret = bind_backends(gen, err);
	if (!ret)
		ret = backends_open(gen->backends, gen->nr_backends,
				    gen->source.is_live ? gen->source.device : NULL, err);
	if (!ret)
		ret = generation_check_stacking(gen, err);
	if (ret)
		return ret;
	report_backends(gen);
	return 0;
}

/* --- policy --- */

static int resolve(struct generation *gen, struct ublkpol_error *err)
{
	const struct ublk_params *fixed = gen->source.fixed;
	__u32 declared = policy_object_header(gen->policy)->block;
	unsigned int i, block;
	__u64 *sectors;
	int ret;

	block = backends_limits(gen->backends, gen->nr_backends).block_size;
	if (fixed) {
		ret = device_params_check_block(fixed, block, declared, err);
		if (ret)
			return ret;
		block = 1U << fixed->basic.logical_bs_shift;
		policy_object_set_device(gen->policy, fixed->basic.dev_sectors,
					 device_params_discard(fixed));
	}
	sectors = calloc(gen->nr_backends + 1, sizeof(*sectors));
	if (!sectors)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	for (i = 0; i < gen->nr_backends; i++)
		sectors[i] =
			backend_sectors(&gen->backends[i], declared > block ? declared : block);
	ret = policy_object_resolve(gen->policy, sectors, block, gen->source.report,
				    gen->source.report_arg, err);
	free(sectors);
	return ret;
}

static int set_values(struct generation *gen, struct ublkpol_error *err)
{
	const struct ublkpol_info *device = gen->source.device;
	unsigned int i;
	int ret = 0;

	for (i = 0; gen->source.same_policy && !ret && i < device->nr_values; i++)
		ret = policy_object_set_value(gen->policy, device->values[i].name,
					      device->values[i].text, err);
	return ret;
}

int generation_open(struct generation *gen, const struct generation_source *source,
		    struct ublkpol_error *err)
{
	int ret;

	*gen = (struct generation){ .source = *source };
	ret = policy_object_open(&gen->policy, source->object, err);
	if (!ret)
		ret = set_values(gen, err);
	if (!ret)
		ret = open_backends(gen, err);
	if (!ret)
		ret = resolve(gen, err);
	if (ret)
		return ret;

	device_params_make(gen->policy, gen->backends, gen->nr_backends, &gen->params);
	return source->fixed ? device_params_check(source->fixed, &gen->params, err) : 0;
}

int generation_load(struct generation *gen, struct ublkpol_error *err)
{
	const struct ublkpol_info *device = gen->source.device;
	struct kernel_features features;
	char folder[PATH_MAX];
	int ret;

	kernel_features_probe(&features);
	ret = kernel_features_require(&features, err);
	if (!ret && gen->source.same_policy)
		ret = policy_object_reuse_state(
			gen->policy, pins_folder(folder, device->id, device->generation), err);
	return ret ? ret : policy_object_load(gen->policy, &features, err);
}

/* --- device --- */

int generation_attach(struct generation *gen, struct ublk_control *control, int id,
		      struct ublkpol_error *err)
{
	struct ublk_bpf_attach attach;
	struct ublk_bpf_slot *slots;
	unsigned int i;
	int ret;

	slots = calloc(gen->nr_backends + 1, sizeof(*slots));
	if (!slots)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	for (i = 0; i < gen->nr_backends; i++) {
		const struct backend *b = &gen->backends[i];

		slots[i].fd = b->keep < 0 ? b->fd : b->keep;
		slots[i].flags = b->keep < 0 ? 0 : UBLK_BPF_SLOT_KEEP;
	}
	attach = (struct ublk_bpf_attach){
		.prog_fd = policy_object_prog_fd(gen->policy),
		.flags = gen->source.is_live ? UBLK_BPF_ATTACH_REPLACE : 0,
		.max_items = policy_object_geometry(gen->policy)->max_items,
		.nr_slots = gen->nr_backends,
		.slots = (uintptr_t)slots,
		.no_flush = gen->no_flush,
	};
	if (policy_object_complete_fd(gen->policy) >= 0) {
		attach.flags |= UBLK_BPF_ATTACH_COMPLETE;
		attach.complete_fd = policy_object_complete_fd(gen->policy);
	}
	ret = ublk_control_attach_bpf(control, id, &attach);
	free(slots);
	if (ret == -ELOOP)
		return error_set(err, UBLKPOL_ERR_INPUT, ret,
				 "a backend of the policy is the device itself");
	return ret ? error_set(err, UBLKPOL_ERR_FAILED, ret,
			       "the ublk driver cannot attach the policy to the device: %s",
			       strerror(-ret))
		   : 0;
}

void generation_release_backends(struct generation *gen)
{
	backends_release(gen->backends, gen->nr_backends);
}

void generation_free(struct generation *gen)
{
	if (gen->backends)
		backends_close(gen->backends, gen->nr_backends);
	free(gen->backends);
	policy_object_close(gen->policy);
	*gen = (struct generation){ 0 };
}

/* --- what stays of it --- */

static int program_id(const struct generation *gen, __u32 *id)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(policy_object_prog_fd(gen->policy), &info, &size))
		return -errno;
	*id = info.id;
	return 0;
}

static int describe_backends(const struct generation *gen, struct ublkpol_info *info)
{
	unsigned int i;

	info->backends = calloc(gen->nr_backends + 1, sizeof(*info->backends));
	if (!info->backends)
		return -ENOMEM;
	for (i = 0; i < gen->nr_backends; i++) {
		const struct backend *b = &gen->backends[i];
		struct ublkpol_backend_info *to = &info->backends[i];

		to->name = strdup(b->name);
		to->path = strdup(b->real_path);
		to->dev = b->dev;
		to->ino = b->ino;
		to->disk_sequence = b->disk_sequence;
		to->size = b->size;
		to->can = b->missing ? 0 : b->can;
		to->named = b->moved && !b->missing;
		info->nr_backends = i + 1;
		if (!to->name || !to->path)
			return -ENOMEM;
	}
	return 0;
}

static int describe_values(const struct generation *gen, struct ublkpol_info *info)
{
	const struct ublkpol_info *device = gen->source.device;
	unsigned int i;

	if (!gen->source.same_policy || !device->nr_values)
		return 0;
	info->values = calloc(device->nr_values, sizeof(*info->values));
	if (!info->values)
		return -ENOMEM;
	for (i = 0; i < device->nr_values; i++) {
		info->values[i].name = strdup(device->values[i].name);
		info->values[i].text = strdup(device->values[i].text);
		info->nr_values = i + 1;
		if (!info->values[i].name || !info->values[i].text)
			return -ENOMEM;
	}
	return 0;
}

/* The policy's file may be gone by now, without harm */
static char *absolute_path(const char *path)
{
	char *absolute = realpath(path, NULL);

	return absolute ? absolute : strdup(path);
}

int generation_describe(const struct generation *gen, const char *policy, struct ublkpol_info *info,
			struct ublkpol_error *err)
{
	int ret;

	info->policy = absolute_path(policy);
	ret = info->policy ? describe_backends(gen, info) : -ENOMEM;
	if (!ret)
		ret = describe_values(gen, info);
	if (!ret)
		ret = program_id(gen, &info->prog_id);
	return ret ? error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot describe the policy: %s",
			       strerror(-ret))
		   : 0;
}

int generation_keep(const struct generation *gen, const struct ublkpol_info *info,
		    struct ublkpol_error *err)
{
	const struct ublkpol_header *header = policy_object_header(gen->policy);
	struct state_files files = {
		.image = header,
		.image_size = header->image_size,
	};
	char folder[PATH_MAX];
	int ret;

	files.object = policy_object_bytes(gen->policy, &files.object_size);
	ret = state_save_files(info->id, info->generation, &files, err);
	if (!ret)
		ret = pins_create(info->id, info->generation, err);
	if (!ret)
		ret = policy_object_pin_state(gen->policy,
					      pins_folder(folder, info->id, info->generation), err);
	return ret;
}
