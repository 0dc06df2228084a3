// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a policy device: a generation of its policy, ublk device, queue
 * threads, and the way back, which is the same for a failure half way and for
 * the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/eventfd.h>

#include "error.h"
#include "generation.h"
#include "list.h"
#include "mirrors.h"
#include "queue.h"
#include "server_process.h"
#include "state.h"
#include "swap.h"
#include "ublk_control.h"

#define DEVICE_FLAGS (UBLK_F_BPF | UBLK_F_CMD_IOCTL_ENCODE | UBLK_F_USER_COPY)

/* The kernel makes the node, perhaps through udev */
#define CHAR_NODE_WAIT_MS 5000
#define CHAR_NODE_POLL_MS 5

/* The kernel ends the requests of a daemon that died */
#define RECOVERY_WAIT_MS 30000
#define RECOVERY_POLL_MS 20

struct ublkpol_device {
	struct generation gen; /* until the device is live */
	struct ublk_control control;
	struct ublksrv_ctrl_dev_info info;
	bool added; /* info.dev_id is a device of the driver */
	bool recovering; /* it was there before us, and stays if we fail */
	int char_fd;
	struct state_queues counters;

	struct ublkpol_handler_options handler;
	void *handler_state;
	bool handler_open;

	struct queue *queues;
	unsigned int nr_queues;
	int exit_fd; /* readable when a queue thread has ended */
};

static const __u64 recovery_flags[] = {
	[UBLKPOL_RECOVERY_NONE] = 0,
	[UBLKPOL_RECOVERY_WAIT] = UBLK_F_USER_RECOVERY,
	[UBLKPOL_RECOVERY_REISSUE] = UBLK_F_USER_RECOVERY | UBLK_F_USER_RECOVERY_REISSUE,
	[UBLKPOL_RECOVERY_FAIL] = UBLK_F_USER_RECOVERY | UBLK_F_USER_RECOVERY_FAIL_IO,
};

/* --- ublk device --- */

static int driver_error(int code, const char *what, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code, "the ublk driver cannot %s: %s", what,
			 strerror(-code));
}

static int add_device(struct ublkpol_device *dev, const struct ublkpol_add_options *options,
		      struct ublkpol_error *err)
{
	int ret;

	ret = ublk_control_open(&dev->control, err);
	if (ret)
		return ret;

	dev->info = (struct ublksrv_ctrl_dev_info){
		.nr_hw_queues = (__u16)options->queues,
		.queue_depth = (__u16)options->depth,
		.max_io_buf_bytes = dev->gen.params.basic.max_sectors << 9,
		.dev_id = (__u32)options->id,
		.flags = DEVICE_FLAGS | recovery_flags[options->recovery],
	};
	ret = ublk_control_add(&dev->control, &dev->info);
	if (ret == -EEXIST)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "device number %d is in use (perhaps deleted, but still open): "
				 "take another",
				 options->id);
	if (ret)
		return driver_error(ret, "add a device", err);
	dev->added = true;

	if (dev->info.nr_hw_queues < options->queues)
		generation_report(&dev->gen.source, UBLKPOL_REPORT_WARNING,
				  "%u queues asked for, %u given: one per CPU", options->queues,
				  dev->info.nr_hw_queues);
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

static const char *handler_argument(const struct ublkpol_device *dev)
{
	return dev->handler.argument ? dev->handler.argument : "";
}

static int describe_handler(const struct ublkpol_device *dev, struct ublkpol_info *info,
			    struct ublkpol_error *err)
{
	const char *path = dev->handler.path;

	info->handler = path ? realpath(path, NULL) : strdup("");
	info->handler_argument = strdup(handler_argument(dev));
	if (info->handler && info->handler_argument)
		return 0;
	return error_set(err, UBLKPOL_ERR_FAILED, -errno, "cannot note the handler %s: %s",
			 path ? path : "", strerror(errno));
}

static int save_new_state(struct ublkpol_device *dev, const struct ublkpol_add_options *options,
			  struct ublkpol_error *err)
{
	const struct ublk_param_basic *basic = &dev->gen.params.basic;
	struct ublkpol_info info = {
		.id = (int)dev->info.dev_id,
		.pid = getpid(),
		.queues = dev->info.nr_hw_queues,
		.depth = dev->info.queue_depth,
		.block_size = 1U << basic->logical_bs_shift,
		.sectors = basic->dev_sectors,
		.recovery = options->recovery,
		.generation = 1,
	};
	int ret;

	ret = state_create(info.id, &dev->counters, dev->info.nr_hw_queues, err);
	if (!ret)
		ret = describe_handler(dev, &info, err);
	if (!ret)
		ret = generation_describe(&dev->gen, options->policy, &info, err);
	if (!ret)
		ret = generation_keep(&dev->gen, &info, err);
	if (!ret)
		ret = mirrors_do_without_missing(&info, err);
	if (!ret)
		ret = state_save(&info, err);
	state_free_info(&info);
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

		q->device = (int)dev->info.dev_id;
		q->id = i;
		q->depth = dev->info.queue_depth;
		q->char_fd = dev->char_fd;
		q->exit_fd = dev->exit_fd;
		q->counters = &dev->counters.counters[i];
		q->redirect.handler = dev->handler.handler;
		q->redirect.handler_state = dev->handler_state;
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

static int bring_up(struct ublkpol_device *dev, const struct ublkpol_add_options *options,
		    struct ublkpol_error *err)
{
	int id, ret;

	ret = add_device(dev, options, err);
	if (ret)
		return ret;
	id = (int)dev->info.dev_id;
	ret = open_char_node(dev, err);
	if (ret)
		return ret;
	ret = ublk_control_set_params(&dev->control, id, &dev->gen.params);
	if (ret)
		return driver_error(ret, "take the parameters of the device", err);
	ret = generation_attach(&dev->gen, &dev->control, id, err);
	if (!ret)
		ret = save_new_state(dev, options, err);
	if (!ret)
		ret = start_queues(dev, err);
	if (ret)
		return ret;

	ret = ublk_control_start(&dev->control, id);
	return ret ? driver_error(ret, "start the device", err) : 0;
}

/* --- user code --- */

static int open_handler(struct ublkpol_device *dev, struct ublkpol_error *err)
{
	const struct ublkpol_handler *handler = dev->handler.handler;
	int ret;

	if (!handler)
		return 0;
	if (handler->version != UBLKPOL_HANDLER_VERSION)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "the handler has version %u and this library takes version %u: "
				 "compile it again",
				 handler->version, UBLKPOL_HANDLER_VERSION);
	ret = handler->open ? handler->open(handler_argument(dev), &dev->handler_state) : 0;
	if (ret)
		return error_set(err, UBLKPOL_ERR_INPUT, ret, "the handler does not start: %s",
				 strerror(-ret));
	dev->handler_open = true;
	return 0;
}

static void close_handler(struct ublkpol_device *dev)
{
	if (dev->handler_open && dev->handler.handler->close)
		dev->handler.handler->close(dev->handler_state);
	dev->handler_open = false;
}

static struct ublkpol_device *new_device(const struct ublkpol_handler_options *handler,
					 struct ublkpol_error *err)
{
	struct ublkpol_device *dev = calloc(1, sizeof(*dev));

	if (!dev) {
		error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
		return NULL;
	}
	dev->handler = *handler;
	dev->control.fd = -1;
	dev->char_fd = -1;
	dev->exit_fd = -1;
	dev->counters.fd = -1;
	return dev;
}

/* --- recovery --- */

static int no_recovery(const struct ublkpol_info *info, struct ublkpol_error *err)
{
	if (info->daemon_alive)
		return error_set(err, UBLKPOL_ERR_FAILED, -EBUSY,
				 "device %d has a daemon, process %d", info->id, (int)info->pid);
	if (info->status == UBLKPOL_LIVE && info->recovery != UBLKPOL_RECOVERY_NONE)
		return error_set(err, UBLKPOL_ERR_FAILED, -EBUSY,
				 "the kernel is still ending the requests of device %d: try again",
				 info->id);
	return error_set(err, UBLKPOL_ERR_FAILED, -EINVAL,
			 "device %d cannot be recovered: it was not added with --recovery; "
			 "delete it",
			 info->id);
}

/* The kernel takes a new daemon when it has seen the old one off */
static int start_recovery(struct ublkpol_device *dev, int id, struct ublkpol_error *err)
{
	const struct timespec pause = { .tv_nsec = RECOVERY_POLL_MS * 1000000L };
	int waited = 0, ret;

	while ((ret = ublk_control_start_recovery(&dev->control, id)) == -EBUSY &&
	       waited < RECOVERY_WAIT_MS) {
		nanosleep(&pause, NULL);
		waited += RECOVERY_POLL_MS;
	}
	return ret ? driver_error(ret, "begin the recovery of the device", err) : 0;
}

static void report_legs(const struct ublkpol_device *dev, const struct mirrors_news *news)
{
	unsigned int b;

	for (b = 0; b < dev->gen.nr_backends; b++) {
		if (news->named >> b & 1)
			generation_report_new_leg(&dev->gen, (int)dev->info.dev_id, b,
						  news->held >> b & 1);
	}
}

/* What is known of a mirror's legs is known by their slots */
static int check_exchanged(const struct ublkpol_device *dev, const struct ublkpol_info *info,
			   struct ublkpol_error *err)
{
	unsigned int b, i;

	for (b = 0; b < dev->gen.nr_backends; b++) {
		const struct backend *now = &dev->gen.backends[b];

		for (i = 0; !now->missing && i < info->nr_backends; i++) {
			const struct ublkpol_backend_info *was = &info->backends[i];

			if (was->dev == now->dev && was->ino == now->ino &&
			    was->disk_sequence == now->disk_sequence &&
			    strcmp(was->name, now->name))
				return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
						 "backend %s: %s is backend %s of the device: a "
						 "recovery cannot exchange backends",
						 now->name, now->path, was->name);
		}
	}
	return 0;
}

static int save_recovered_state(struct ublkpol_device *dev, struct ublkpol_info *info,
				struct ublkpol_error *err)
{
	struct ublkpol_info now = *info;
	struct mirrors_news news;
	int ret;

	now.policy = NULL;
	now.backends = NULL;
	now.nr_backends = 0;
	now.values = NULL;
	now.nr_values = 0;
	now.pid = getpid();
	ret = describe_handler(dev, &now, err);
	if (!ret)
		ret = generation_describe(&dev->gen, info->policy, &now, err);
	if (!ret)
		ret = mirrors_keep(&now, info, &news, err);
	if (!ret)
		ret = mirrors_do_without_missing(&now, err);
	if (!ret)
		ret = state_save(&now, err);
	if (!ret)
		report_legs(dev, &news);
	state_free_info(&now);
	return ret;
}

static int recover(struct ublkpol_device *dev, struct ublkpol_info *info,
		   const struct ublkpol_recover_options *options, struct ublkpol_error *err)
{
	struct ublk_params fixed;
	char object[PATH_MAX];
	struct generation_source source = {
		.object = state_object_path(object, info->id, info->generation),
		.bindings = options->bindings,
		.nr_bindings = options->nr_bindings,
		.device = info,
		.same_policy = true,
		.fixed = &fixed,
		.report = options->report,
		.report_arg = options->report_arg,
	};
	int ret;

	ret = ublk_control_get_info(&dev->control, info->id, &dev->info);
	if (!ret)
		ret = ublk_control_get_params(&dev->control, info->id, &fixed);
	if (ret)
		return driver_error(ret, "describe the device", err);
	ret = mirrors_given_up(info, &source.given_up, err);
	if (ret)
		return ret;
	ret = start_recovery(dev, info->id, err);
	if (!ret)
		ret = generation_open(&dev->gen, &source, err);
	if (!ret)
		ret = check_exchanged(dev, info, err);
	if (!ret)
		ret = generation_load(&dev->gen, err);
	if (ret)
		return ret;

	server_process_prepare(options->report, options->report_arg);
	ret = open_char_node(dev, err);
	if (!ret)
		ret = generation_attach(&dev->gen, &dev->control, info->id, err);
	if (!ret)
		ret = state_adopt(info->id, &dev->counters, dev->info.nr_hw_queues, err);
	if (!ret)
		ret = start_queues(dev, err);
	/* Last: what fails before leaves no trace */
	if (!ret)
		ret = save_recovered_state(dev, info, err);
	if (ret)
		return ret;
	ret = ublk_control_end_recovery(&dev->control, info->id);
	return ret ? driver_error(ret, "end the recovery of the device", err) : 0;
}

/* A daemon that died this moment leaves a device that is live for a while */
static int find_dead_device(struct ublk_control *control, int id, struct ublkpol_info *info,
			    struct ublkpol_error *err)
{
	const struct timespec pause = { .tv_nsec = RECOVERY_POLL_MS * 1000000L };
	int waited = 0, ret;

	for (;;) {
		ret = list_find(control, id, info, err);
		if (ret || info->daemon_alive || info->status != UBLKPOL_LIVE ||
		    info->recovery == UBLKPOL_RECOVERY_NONE || waited >= RECOVERY_WAIT_MS)
			return ret;
		state_free_info(info);
		nanosleep(&pause, NULL);
		waited += RECOVERY_POLL_MS;
	}
}

/* Of what a swap that was cut off left, the generation that routed the device last is taken */
static int find_and_recover(struct ublkpol_device *dev, int id,
			    const struct ublkpol_recover_options *options,
			    struct ublkpol_error *err)
{
	struct ublkpol_info info;
	int device_lock, ret;

	ret = ublk_control_open(&dev->control, err);
	if (!ret)
		ret = find_dead_device(&dev->control, id, &info, err);
	if (ret)
		return ret;
	state_free_info(&info);
	ret = state_try_lock_device(id, &device_lock);
	if (ret == -EWOULDBLOCK)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "the policy of device %d is being replaced: try again", id);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot lock device %d: %s", id,
				 strerror(-ret));
	ret = swap_settle_locked(id, err);
	if (!ret)
		ret = list_find(&dev->control, id, &info, err);
	if (ret)
		goto out;
	if (info.daemon_alive ||
	    (info.status != UBLKPOL_WAITING && info.status != UBLKPOL_FAILING)) {
		ret = no_recovery(&info, err);
	} else {
		dev->recovering = true;
		ret = recover(dev, &info, options, err);
	}
	state_free_info(&info);
out:
	close(device_lock);
	return ret;
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
	const struct generation_source source = {
		.object = options->policy,
		.bindings = options->bindings,
		.nr_bindings = options->nr_bindings,
		.report = options->report,
		.report_arg = options->report_arg,
	};
	struct ublkpol_device *dev;
	int ret, lock_fd = -1;

	ret = check_options(options, err);
	if (ret)
		return ret;
	dev = new_device(&options->handler, err);
	if (!dev)
		return -ENOMEM;

	ret = open_handler(dev, err);
	if (!ret)
		ret = generation_open(&dev->gen, &source, err);
	if (!ret && options->no_discard)
		dev->gen.params.types &= ~UBLK_PARAM_TYPE_DISCARD;
	if (!ret)
		ret = generation_load(&dev->gen, err);
	if (!ret) {
		server_process_prepare(options->report, options->report_arg);
		ret = state_lock(&lock_fd, err);
	}
	if (!ret)
		ret = bring_up(dev, options, err);
	if (ret)
		ublkpol_device_remove(dev);
	if (lock_fd >= 0)
		close(lock_fd);
	if (ret)
		return ret;

	/*
	 * The kernel has all of it; ours would only be locked memory, and would
	 * keep open the files of backends that a later policy drops.
	 */
	generation_free(&dev->gen);
	*device = dev;
	return 0;
}

int ublkpol_device_recover(struct ublkpol_device **device, int id,
			   const struct ublkpol_recover_options *options, struct ublkpol_error *err)
{
	struct ublkpol_device *dev = new_device(&options->handler, err);
	int ret, lock_fd;

	if (!dev)
		return -ENOMEM;
	ret = open_handler(dev, err);
	if (ret) {
		ublkpol_device_remove(dev);
		return ret;
	}
	ret = state_lock(&lock_fd, err);
	if (!ret) {
		ret = find_and_recover(dev, id, options, err);
		close(lock_fd);
	}
	if (ret) {
		ublkpol_device_remove(dev);
		return ret;
	}
	dev->added = true;
	dev->recovering = false;
	generation_free(&dev->gen);
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

int ublkpol_device_stop_unused(struct ublkpol_device *device)
{
	return ublk_control_stop_unused(&device->control, ublkpol_device_id(device));
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
	for (i = 0; i < dev->nr_queues; i++) {
		if (dev->recovering)
			queue_give_up(&dev->queues[i]);
		queue_join(&dev->queues[i]);
	}

	close_handler(dev);
	if (dev->exit_fd >= 0)
		close(dev->exit_fd);
	free(dev->queues);
	generation_free(&dev->gen);

	/*
	 * The number is ours until the character device is closed, and that is
	 * what ublkpol_delete() waits for: all else is released before.
	 */
	if (dev->added) {
		state_remove((int)dev->info.dev_id);
		ublk_control_begin_del(&dev->control, (int)dev->info.dev_id);
	}
	state_close(&dev->counters);
	if (dev->char_fd >= 0)
		close(dev->char_fd);
	if (dev->added)
		ublk_control_wait_free(&dev->control, (int)dev->info.dev_id);
	ublk_control_close(&dev->control);
	free(dev);
}
