// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ublk_control.h"

#define CONTROL_RING_ENTRIES 4

#define FREE_NUMBER_WAIT_MS 3000
#define FREE_NUMBER_POLL_MS 5

/* The partition scan, or udev, has a new device open for a moment */
#define IN_USE_WAIT_MS 2000
#define IN_USE_POLL_MS 20

int ublk_control_explain(int code, struct ublkpol_error *err)
{
	switch (code) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return error_set(err, UBLKPOL_ERR_KERNEL, code,
				 "this kernel has no ublk driver (" UBLK_CONTROL_NODE
				 " is missing): load the module ublk_drv, or build the kernel with "
				 "CONFIG_BLK_DEV_UBLK");
	case -EACCES:
	case -EPERM:
		return error_set(err, UBLKPOL_ERR_FAILED, code,
				 "no permission to use " UBLK_CONTROL_NODE ": run as root");
	default:
		return error_set(err, UBLKPOL_ERR_FAILED, code,
				 UBLK_CONTROL_NODE " does not answer: %s", strerror(-code));
	}
}

int ublk_control_open(struct ublk_control *control, struct ublkpol_error *err)
{
	int ret;

	control->fd = open(UBLK_CONTROL_NODE, O_RDWR | O_CLOEXEC);
	if (control->fd < 0)
		return ublk_control_explain(-errno, err);

	ret = io_uring_queue_init(CONTROL_RING_ENTRIES, &control->ring, IORING_SETUP_SQE128);
	if (ret < 0) {
		close(control->fd);
		control->fd = -1;
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "cannot set up io_uring for ublk control commands: %s",
				 strerror(-ret));
	}
	return 0;
}

void ublk_control_close(struct ublk_control *control)
{
	if (control->fd < 0)
		return;
	io_uring_queue_exit(&control->ring);
	close(control->fd);
	control->fd = -1;
}

static int control_submit_and_wait(struct ublk_control *control)
{
	struct io_uring_cqe *cqe;
	int ret;

	do {
		ret = io_uring_submit(&control->ring);
	} while (ret == -EINTR);
	if (ret < 0)
		return ret;

	do {
		ret = io_uring_wait_cqe(&control->ring, &cqe);
	} while (ret == -EINTR);
	if (ret < 0)
		return ret;

	ret = cqe->res;
	io_uring_cqe_seen(&control->ring, cqe);
	return ret;
}

static int control_command(struct ublk_control *control, __u32 op,
			   const struct ublksrv_ctrl_cmd *command)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&control->ring);

	if (!sqe)
		return -EBUSY;

	/* Twice the size: this ring has 128-byte entries */
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = control->fd;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, command, sizeof(*command));
	return control_submit_and_wait(control);
}

/* A command with a buffer, or with @buffer NULL and one word of data */
static int device_command(struct ublk_control *control, __u32 op, int id, void *buffer, size_t len,
			  __u64 data)
{
	struct ublksrv_ctrl_cmd command = {
		.dev_id = (__u32)id,
		.queue_id = (__u16)-1,
		.addr = (uintptr_t)buffer,
		.len = (__u16)len,
		.data = { data },
	};

	return control_command(control, op, &command);
}

int ublk_control_get_features(struct ublk_control *control, __u64 *flags)
{
	return device_command(control, UBLK_U_CMD_GET_FEATURES, -1, flags, UBLK_FEATURES_LEN, 0);
}

int ublk_control_add(struct ublk_control *control, struct ublksrv_ctrl_dev_info *info)
{
	return device_command(control, UBLK_U_CMD_ADD_DEV, (int)info->dev_id, info, sizeof(*info),
			      0);
}

/*
 * Not UBLK_U_CMD_DEL_DEV: that waits as long as anybody keeps the disk open,
 * which may be for ever.
 */
int ublk_control_begin_del(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_DEL_DEV_ASYNC, id, NULL, 0, 0);
}

int ublk_control_wait_free(struct ublk_control *control, int id)
{
	const struct timespec pause = { .tv_nsec = FREE_NUMBER_POLL_MS * 1000000L };
	struct ublksrv_ctrl_dev_info info;
	int waited;

	for (waited = 0; waited < FREE_NUMBER_WAIT_MS; waited += FREE_NUMBER_POLL_MS) {
		if (ublk_control_get_info(control, id, &info) == -ENODEV)
			return 0;
		nanosleep(&pause, NULL);
	}
	return -EBUSY;
}

int ublk_control_del(struct ublk_control *control, int id)
{
	int ret = ublk_control_begin_del(control, id);

	return ret ? ret : ublk_control_wait_free(control, id);
}

int ublk_control_stop(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_STOP_DEV, id, NULL, 0, 0);
}

int ublk_control_stop_unused(struct ublk_control *control, int id)
{
	const struct timespec pause = { .tv_nsec = IN_USE_POLL_MS * 1000000L };
	int ret, waited;

	for (waited = 0;; waited += IN_USE_POLL_MS) {
		ret = device_command(control, UBLK_U_CMD_TRY_STOP_DEV, id, NULL, 0, 0);
		if (ret != -EBUSY || waited >= IN_USE_WAIT_MS)
			return ret;
		nanosleep(&pause, NULL);
	}
}

int ublk_control_start(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_START_DEV, id, NULL, 0, (__u64)getpid());
}

int ublk_control_start_recovery(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_START_USER_RECOVERY, id, NULL, 0, 0);
}

int ublk_control_end_recovery(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_END_USER_RECOVERY, id, NULL, 0, (__u64)getpid());
}

int ublk_control_get_info(struct ublk_control *control, int id, struct ublksrv_ctrl_dev_info *info)
{
	return device_command(control, UBLK_U_CMD_GET_DEV_INFO, id, info, sizeof(*info), 0);
}

int ublk_control_set_params(struct ublk_control *control, int id, struct ublk_params *params)
{
	params->len = sizeof(*params);
	return device_command(control, UBLK_U_CMD_SET_PARAMS, id, params, sizeof(*params), 0);
}

int ublk_control_get_params(struct ublk_control *control, int id, struct ublk_params *params)
{
	params->len = sizeof(*params);
	return device_command(control, UBLK_U_CMD_GET_PARAMS, id, params, sizeof(*params), 0);
}

int ublk_control_queue_cpus(struct ublk_control *control, int id, unsigned int queue,
			    cpu_set_t *cpus)
{
	return device_command(control, UBLK_U_CMD_GET_QUEUE_AFFINITY, id, cpus, sizeof(*cpus),
			      queue);
}

int ublk_control_attach_bpf(struct ublk_control *control, int id, struct ublk_bpf_attach *attach)
{
	return device_command(control, UBLK_U_CMD_ATTACH_BPF, id, attach, sizeof(*attach), 0);
}

int ublk_control_detach_bpf(struct ublk_control *control, int id)
{
	return device_command(control, UBLK_U_CMD_DETACH_BPF, id, NULL, 0, 0);
}
