// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a policy device: backends, program, ublk device, queue threads, and
 * the way back, which is the same for a failure half way and for the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <bpf/bpf.h>

#include "backend.h"
#include "error.h"
#include "kernel_features.h"
#include "policy_object.h"
#include "queue.h"
#include "server_process.h"
#include "state.h"
#include "ublk_control.h"

#define DEVICE_FLAGS (UBLK_F_BPF | UBLK_F_CMD_IOCTL_ENCODE | UBLK_F_USER_COPY)

/* The kernel makes the node, perhaps through udev */
#define CHAR_NODE_WAIT_MS 5000
#define CHAR_NODE_POLL_MS 5

struct ublkpol_device {
	struct ublkpol_add_options options;
	struct policy_object *policy; /* until the device is live */
	struct backend *backends;
	unsigned int nr_backends;
	struct backend_limits limits;

	struct ublk_control control;
	struct ublksrv_ctrl_dev_info info;
	bool added; /* info.dev_id is a device of the driver */
	int char_fd;
	struct state_queues counters;

	struct queue *queues;
	unsigned int nr_queues;
	int exit_fd; /* readable when a queue thread has ended */
};

static void report(const struct ublkpol_device *dev, enum ublkpol_report_level level,
		   const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void report(const struct ublkpol_device *dev, enum ublkpol_report_level level,
		   const char *fmt, ...)
{
	char text[PATH_MAX + 256];
	va_list args;

	if (!dev->options.report)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dev->options.report(dev->options.report_arg, level, text);
}

/* --- backends --- */

static int find_backend(const struct ublkpol_device *dev, const char *name)
{
	unsigned int i;

	for (i = 0; i < dev->nr_backends; i++) {
		if (!strcmp(dev->backends[i].name, name))
			return (int)i;
	}
	return -1;
}

static int unknown_backend(const struct ublkpol_device *dev, const char *name,
			   struct ublkpol_error *err)
{
	char known[512] = "";
	size_t used = 0;
	unsigned int i;

	for (i = 0; i < dev->nr_backends && used < sizeof(known); i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, " %s",
					 dev->backends[i].name);
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 "the policy has no backend '%s'; its backends are:%s", name, known);
}

static int bind_backends(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct ublkpol_add_options *options = &dev->options;
	unsigned int i;
	size_t b;
	int slot;

	for (b = 0; b < options->nr_bindings; b++) {
		slot = find_backend(dev, options->bindings[b].name);
		if (slot < 0)
			return unknown_backend(dev, options->bindings[b].name, err);
		dev->backends[slot].path = options->bindings[b].path;
	}
	for (i = 0; i < dev->nr_backends; i++) {
		if (!*dev->backends[i].path)
			return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
					 "backend %s has no file: add --backend %s=PATH",
					 dev->backends[i].name, dev->backends[i].name);
	}
	return 0;
}

static void report_backends(const struct ublkpol_device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->nr_backends; i++) {
		const struct backend *b = &dev->backends[i];

		report(dev, UBLKPOL_REPORT_DETAIL,
		       "backend %s: %s, %llu bytes, %s I/O, blocks of %u, buffers aligned to %u",
		       b->name, b->real_path, (unsigned long long)b->size,
		       b->direct ? "direct" : "buffered", b->block_size, b->memory_align);
	}
}

static int open_backends(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct ublkpol_header *header = policy_object_header(dev->policy);
	const struct ublkpol_backend *table = policy_object_backends(dev->policy);
	unsigned int i;
	int ret;

	dev->backends = calloc(header->nr_backends + 1, sizeof(*dev->backends));
	if (!dev->backends)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	for (i = 0; i < header->nr_backends; i++) {
		dev->backends[i].fd = -1;
		dev->backends[i].name = policy_object_string(dev->policy, table[i].name);
		dev->backends[i].path = policy_object_string(dev->policy, table[i].path);
	}
	dev->nr_backends = header->nr_backends;

	ret = bind_backends(dev, err);
	if (!ret)
		ret = backends_open(dev->backends, dev->nr_backends, err);
	if (ret)
		return ret;
	report_backends(dev);

	dev->limits = backends_limits(dev->backends, dev->nr_backends);
	return 0;
}

/* --- policy --- */

static int load_policy(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	unsigned int i, block = dev->limits.block_size;
	struct kernel_features features;
	__u64 *sectors;
	int ret;

	kernel_features_probe(&features);
	ret = kernel_features_require(&features, err);
	if (ret)
		return ret;

	sectors = calloc(dev->nr_backends + 1, sizeof(*sectors));
	if (!sectors)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	if (policy_object_header(dev->policy)->block > block)
		block = policy_object_header(dev->policy)->block;
	for (i = 0; i < dev->nr_backends; i++)
		sectors[i] = backend_sectors(&dev->backends[i], block);

	ret = policy_object_resolve(dev->policy, sectors, dev->limits.block_size,
				    dev->options.report, dev->options.report_arg, err);
	free(sectors);
	if (ret)
		return ret;
	return policy_object_load(dev->policy, &features, err);
}

/* --- ublk device --- */

static int driver_error(int code, const char *what, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code, "the ublk driver cannot %s: %s", what,
			 strerror(-code));
}

static int add_device(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	int ret;

	ret = ublk_control_open(&dev->control, err);
	if (ret)
		return ret;

	dev->info = (struct ublksrv_ctrl_dev_info){
		.nr_hw_queues = (__u16)dev->options.queues,
		.queue_depth = (__u16)dev->options.depth,
		.max_io_buf_bytes = policy_object_geometry(dev->policy)->max_sectors << 9,
		.dev_id = (__u32)dev->options.id,
		.flags = DEVICE_FLAGS,
	};
	ret = ublk_control_add(&dev->control, &dev->info);
	if (ret == -EEXIST)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "device number %d is in use (perhaps deleted, but still open): "
				 "take another",
				 dev->options.id);
	if (ret)
		return driver_error(ret, "add a device", err);
	dev->added = true;

	if (dev->info.nr_hw_queues < dev->options.queues)
		report(dev, UBLKPOL_REPORT_WARNING, "%u queues asked for, %u given: one per CPU",
		       dev->options.queues, dev->info.nr_hw_queues);
	return 0;
}

static int open_char_node(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct timespec pause = { .tv_nsec = CHAR_NODE_POLL_MS * 1000000L };
	int waited = 0;
	char path[32];

	snprintf(path, sizeof(path), UBLK_CHAR_NODE, (int)dev->info.dev_id);
	while ((dev->char_fd = open(path, O_RDWR | O_CLOEXEC)) < 0) {
		if (errno != ENOENT || waited >= CHAR_NODE_WAIT_MS)
			return error_set(err, UBLKPOL_ERR_FAILED, -errno, "cannot open %s: %s",
					 path, strerror(errno));
		nanosleep(&pause, NULL);
		waited += CHAR_NODE_POLL_MS;
	}
	return 0;
}

static __u8 log2_of(unsigned int power_of_two)
{
	return (__u8)__builtin_ctz(power_of_two);
}

static int set_params(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct policy_geometry *geometry = policy_object_geometry(dev->policy);
	__u32 physical = dev->limits.physical_block_size;
	struct ublk_params params;
	int ret;

	if (physical < geometry->block_size)
		physical = geometry->block_size;
	params = (struct ublk_params){
		.types = UBLK_PARAM_TYPE_BASIC | UBLK_PARAM_TYPE_DMA_ALIGN,
		.basic = {
			/* A write is durable only after FLUSH, or with FUA */
			.attrs = UBLK_ATTR_VOLATILE_CACHE | UBLK_ATTR_FUA,
			.logical_bs_shift = log2_of(geometry->block_size),
			.physical_bs_shift = log2_of(physical),
			.io_opt_shift = log2_of(physical),
			.io_min_shift = log2_of(physical),
			.max_sectors = geometry->max_sectors,
			.dev_sectors = geometry->dev_sectors,
		},
		.dma = { .alignment = dev->limits.memory_align - 1 },
	};
	ret = ublk_control_set_params(&dev->control, (int)dev->info.dev_id, &params);
	return ret ? driver_error(ret, "take the parameters of the device", err) : 0;
}

static int attach_program(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	struct ublk_bpf_attach attach;
	struct ublk_bpf_slot *slots;
	unsigned int i;
	int ret;

	slots = calloc(dev->nr_backends + 1, sizeof(*slots));
	if (!slots)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	for (i = 0; i < dev->nr_backends; i++)
		slots[i].fd = dev->backends[i].fd;

	attach = (struct ublk_bpf_attach){
		.prog_fd = policy_object_prog_fd(dev->policy),
		.max_items = policy_object_geometry(dev->policy)->max_items,
		.nr_slots = dev->nr_backends,
		.slots = (uintptr_t)slots,
	};
	ret = ublk_control_attach_bpf(&dev->control, (int)dev->info.dev_id, &attach);
	free(slots);
	return ret ? driver_error(ret, "attach the policy to the device", err) : 0;
}

static __u32 map_id(int map_fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(map_fd, &info, &size) ? 0 : info.id;
}

static int save_state(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct policy_geometry *geometry = policy_object_geometry(dev->policy);
	const struct ublkpol_header *image = policy_object_header(dev->policy);
	struct ublkpol_info info = {
		.id = (int)dev->info.dev_id,
		.pid = getpid(),
		.queues = dev->info.nr_hw_queues,
		.depth = dev->info.queue_depth,
		.block_size = geometry->block_size,
		.sectors = geometry->dev_sectors,
		.counters_id = map_id(policy_object_counters_fd(dev->policy)),
		.nr_backends = dev->nr_backends,
	};
	unsigned int i;
	int ret = -ENOMEM;

	info.policy = realpath(dev->options.policy, NULL);
	info.backends = calloc(dev->nr_backends + 1, sizeof(*info.backends));
	if (!info.policy || !info.backends) {
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot save the state of the device: %s",
			  strerror(errno));
		goto out;
	}
	for (i = 0; i < dev->nr_backends; i++) {
		info.backends[i].name = (char *)dev->backends[i].name;
		info.backends[i].path = dev->backends[i].real_path;
	}
	ret = state_save(&info, image, image->image_size, err);
out:
	free(info.backends);
	free(info.policy);
	return ret;
}

static int start_queues(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	unsigned int i;
	int ret;

	dev->exit_fd = eventfd(0, EFD_CLOEXEC);
	dev->queues = calloc(dev->info.nr_hw_queues, sizeof(*dev->queues));
	if (dev->exit_fd < 0 || !dev->queues)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "cannot set up %u queues: %s",
				 dev->info.nr_hw_queues, strerror(errno));

	for (i = 0; i < dev->info.nr_hw_queues; i++) {
		struct queue *q = &dev->queues[i];

		q->id = i;
		q->depth = dev->info.queue_depth;
		q->char_fd = dev->char_fd;
		q->exit_fd = dev->exit_fd;
		q->counters = &dev->counters.counters[i];
		ret = ublk_control_queue_cpus(&dev->control, (int)dev->info.dev_id, i, &q->cpus);
		if (ret)
			CPU_ZERO(&q->cpus);
		dev->nr_queues = i + 1;
		ret = queue_start(q, err);
		if (ret)
			return ret;
	}
	return 0;
}

static int bring_up(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	int ret;

	ret = add_device(dev, err);
	if (!ret)
		ret = open_char_node(dev, err);
	if (!ret)
		ret = set_params(dev, err);
	if (!ret)
		ret = attach_program(dev, err);
	if (!ret)
		ret = state_create((int)dev->info.dev_id, &dev->counters, dev->info.nr_hw_queues,
				   err);
	if (!ret)
		ret = save_state(dev, err);
	if (!ret)
		ret = start_queues(dev, err);
	if (ret)
		return ret;

	ret = ublk_control_start(&dev->control, (int)dev->info.dev_id);
	return ret ? driver_error(ret, "start the device", err) : 0;
}

/* --- public functions --- */

static int check_options(const struct ublkpol_add_options *options, struct ublkpol_error *err)
{
	if (!options->queues || options->queues > UBLKPOL_MAX_QUEUES)
		return error_set(err, UBLKPOL_ERR_USAGE, -EINVAL, "queues must be 1 to %d",
				 UBLKPOL_MAX_QUEUES);
	if (!options->depth || options->depth > UBLKPOL_MAX_DEPTH)
		return error_set(err, UBLKPOL_ERR_USAGE, -EINVAL, "depth must be 1 to %d",
				 UBLKPOL_MAX_DEPTH);
	return 0;
}

int ublkpol_device_add(struct ublkpol_device **device, const struct ublkpol_add_options *options,
		       struct ublkpol_error *err)
{
	struct ublkpol_device *dev;
	int ret, lock_fd = -1;

	ret = check_options(options, err);
	if (ret)
		return ret;
	dev = calloc(1, sizeof(*dev));
	if (!dev)
		return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
	dev->options = *options;
	dev->control.fd = -1;
	dev->char_fd = -1;
	dev->exit_fd = -1;
	dev->counters.fd = -1;

	ret = policy_object_open(&dev->policy, options->policy, err);
	if (!ret)
		ret = open_backends(dev, err);
	if (!ret)
		ret = load_policy(dev, err);
	if (!ret) {
		server_process_prepare(options->report, options->report_arg);
		ret = state_lock(&lock_fd, err);
	}
	if (!ret)
		ret = bring_up(dev, err);
	if (ret)
		ublkpol_device_remove(dev);
	if (lock_fd >= 0)
		close(lock_fd);
	if (ret)
		return ret;

	/* The kernel has all of it; ours would only be locked memory */
	policy_object_close(dev->policy);
	dev->policy = NULL;
	*device = dev;
	return 0;
}

int ublkpol_device_id(const struct ublkpol_device *device)
{
	return (int)device->info.dev_id;
}

int ublkpol_device_wait(struct ublkpol_device *device, int stop_fd)
{
	struct pollfd fds[] = {
		{ .fd = device->exit_fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN },
	};

	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

void ublkpol_device_remove(struct ublkpol_device *device)
{
	struct ublkpol_device *dev = device;
	unsigned int i;

	if (!dev)
		return;

	/* Ends all I/O and aborts the FETCH commands, so that the threads end */
	if (dev->added)
		ublk_control_stop(&dev->control, (int)dev->info.dev_id);
	for (i = 0; i < dev->nr_queues; i++)
		queue_join(&dev->queues[i]);

	if (dev->exit_fd >= 0)
		close(dev->exit_fd);
	free(dev->queues);
	if (dev->backends)
		backends_close(dev->backends, dev->nr_backends);
	free(dev->backends);
	policy_object_close(dev->policy);

	/*
	 * The number is ours until the character device is closed, and that is
	 * what ublkpol_delete() waits for: all else is released before.
	 */
	if (dev->added)
		state_remove((int)dev->info.dev_id);
	state_close(&dev->counters);
	if (dev->char_fd >= 0)
		close(dev->char_fd);
	if (dev->added)
		ublk_control_del(&dev->control, (int)dev->info.dev_id);
	ublk_control_close(&dev->control);
	free(dev);
}
