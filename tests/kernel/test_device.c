// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <liburing.h>

#include "test_device.h"
#include "test_program.h"
#include "test_server.h"

#define DEFAULT_DEPTH	    16
#define DEFAULT_MAX_SECTORS 1024
#define DEFAULT_MAX_ITEMS   8

static int command_on_ring(struct io_uring *ring, int control, unsigned int op,
			   const struct ublksrv_ctrl_cmd *command)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	struct io_uring_cqe *cqe;
	int ret;

	if (!sqe)
		return -EBUSY;
	/* the ring has 128-byte entries */
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = control;
	sqe->cmd_op = op;
	memcpy(sqe->cmd, command, sizeof(*command));
	ret = io_uring_submit(ring);
	if (ret < 0)
		return ret;
	do {
		ret = io_uring_wait_cqe(ring, &cqe);
	} while (ret == -EINTR);
	return ret < 0 ? ret : cqe->res;
}

int ublk_command(unsigned int op, int id, void *buffer, size_t len, __u64 data)
{
	const struct ublksrv_ctrl_cmd command = {
		.dev_id = (__u32)id,
		.queue_id = (__u16)-1,
		.addr = (unsigned long)buffer,
		.len = (__u16)len,
		.data = { data },
	};
	int control = open("/dev/ublk-control", O_RDWR | O_CLOEXEC);
	struct io_uring ring;
	int ret;

	if (control < 0)
		return -errno;
	ret = io_uring_queue_init(4, &ring, IORING_SETUP_SQE128);
	if (!ret) {
		ret = command_on_ring(&ring, control, op, &command);
		io_uring_queue_exit(&ring);
	}
	close(control);
	return ret;
}

static void set_defaults(struct test_device *dev)
{
	dev->queues = dev->queues ?: 1;
	dev->depth = dev->depth ?: DEFAULT_DEPTH;
	dev->max_sectors = dev->max_sectors ?: DEFAULT_MAX_SECTORS;
	dev->max_items = dev->max_items ?: DEFAULT_MAX_ITEMS;
	dev->threads_per_queue = dev->threads_per_queue ?: 1;
	dev->ring_flags =
		dev->ring_flags ?: IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
	dev->disk_fd = -1;
}

int test_device_add(struct test_device *dev)
{
	struct ublksrv_ctrl_dev_info info;
	struct ublk_params params;
	int ret;

	set_defaults(dev);
	info = (struct ublksrv_ctrl_dev_info){
		.dev_id = (__u32)-1,
		.nr_hw_queues = (__u16)dev->queues,
		.queue_depth = (__u16)dev->depth,
		.max_io_buf_bytes = dev->max_sectors << 9,
		.flags = dev->flags | UBLK_F_CMD_IOCTL_ENCODE | (dev->plain ? 0 : UBLK_F_BPF),
	};
	params = (struct ublk_params){
		.len = sizeof(params),
		.types = UBLK_PARAM_TYPE_BASIC |
			 (dev->discard.max_discard_sectors ? UBLK_PARAM_TYPE_DISCARD : 0),
		.basic = {
			.attrs = dev->attrs,
			.logical_bs_shift = 9,
			.physical_bs_shift = 9,
			.io_min_shift = 9,
			.io_opt_shift = 9,
			.max_sectors = dev->max_sectors,
			.chunk_sectors = dev->chunk_sectors,
			.dev_sectors = dev->sectors,
		},
		.discard = dev->discard,
	};
	ret = ublk_command(UBLK_U_CMD_ADD_DEV, -1, &info, sizeof(info), 0);
	if (ret)
		return ret;
	dev->id = (int)info.dev_id;
	dev->queues = info.nr_hw_queues;
	ret = ublk_command(UBLK_U_CMD_SET_PARAMS, dev->id, &params, sizeof(params), 0);
	if (ret)
		ublk_command(UBLK_U_CMD_DEL_DEV, dev->id, NULL, 0, 0);
	return ret;
}

int test_device_serve(struct test_device *dev, bool recover)
{
	int report[2], ret;

	if (!dev->counters) {
		dev->counters = mmap(NULL, sizeof(*dev->counters), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		require(dev->counters == MAP_FAILED ? -errno : 0, "mmap");
	}
	require(pipe(report), "pipe");
	fflush(stdout);
	dev->server = fork();
	require(dev->server < 0 ? -errno : 0, "fork");
	if (!dev->server) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(report[0]);
		if (dev->disk_fd >= 0)
			close(dev->disk_fd);
		test_server_main(dev, recover, report[1]);
	}
	close(report[1]);
	if (read(report[0], &ret, sizeof(ret)) != sizeof(ret))
		ret = -EPIPE;
	close(report[0]);
	if (ret)
		waitpid(dev->server, NULL, 0);
	return ret;
}

void test_device_open(struct test_device *dev)
{
	char node[32];

	snprintf(node, sizeof(node), "/dev/ublkb%d", dev->id);
	dev->disk_fd = require_fd(open(node, O_RDWR | O_DIRECT | O_CLOEXEC), node);
}

void test_device_start(struct test_device *dev)
{
	require(test_device_add(dev), "ADD_DEV");
	require(test_device_serve(dev, false), "start the server");
	test_device_open(dev);
}

int test_device_char_fd(const struct test_device *dev)
{
	int server = require_fd(pidfd_open(dev->server, 0), "pidfd_open");
	int fd = require_fd(pidfd_getfd(server, dev->counters->char_fd, 0), "pidfd_getfd");

	close(server);
	return fd;
}

void test_device_kill(struct test_device *dev)
{
	kill(dev->server, SIGKILL);
	waitpid(dev->server, NULL, 0);
}

void test_device_remove(struct test_device *dev)
{
	if (dev->disk_fd >= 0)
		close(dev->disk_fd);
	dev->disk_fd = -1;
	require(ublk_command(UBLK_U_CMD_STOP_DEV, dev->id, NULL, 0, 0), "STOP_DEV");
	waitpid(dev->server, NULL, 0);
	require(ublk_command(UBLK_U_CMD_DEL_DEV, dev->id, NULL, 0, 0), "DEL_DEV");
}
