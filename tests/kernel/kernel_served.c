// SPDX-License-Identifier: GPL-2.0-only
/*
 * kernel_served OBJECT SLOW_DEVICE: a server can do nothing with a request that the
 * program has routed: not commit it, not fetch, not register or copy its pages. With
 * one that the program redirects it can, by the same commands. Both have the same tag.
 * A request takes a second on SLOW_DEVICE.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>
#include <liburing.h>

#include "test_device.h"
#include "test_io.h"
#include "test_program.h"
#include "test_server.h"

#define DEVICE_BYTES (2U << 20)
#define HALF_BYTES   (DEVICE_BYTES / 2)
#define BYTES	     4096U

/* This process is the server */
struct served {
	struct test_device dev;
	const char *what;
	struct io_uring ring;
	int char_fd;
};

/* user_data is the command */
static void queue_command(struct io_uring *ring, int char_fd, unsigned int op)
{
	const struct ublksrv_io_cmd command = { .result = (int)BYTES };
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe) {
		require(-EBUSY, "an SQE");
		return;
	}
	memset(sqe, 0, sizeof(*sqe));
	test_server_prepare(sqe, char_fd, op, &command);
	sqe->user_data = op;
	require(io_uring_submit(ring) == 1 ? 0 : -EIO, "submit a command");
}

/* The result of a command that is not to stay pending; -ETIME if it does */
static int command(struct io_uring *ring, int char_fd, unsigned int op)
{
	struct __kernel_timespec second = { .tv_sec = 1 };
	struct io_uring_cqe *cqe;
	int ret;

	queue_command(ring, char_fd, op);
	ret = io_uring_wait_cqe_timeout(ring, &cqe, &second);
	if (ret)
		return ret;
	ret = cqe->user_data == op ? cqe->res : -EBADMSG;
	io_uring_cqe_seen(ring, cqe);
	return ret;
}

/* Lets the ring submit what is to be submitted in this task */
static void run_task_work(struct served *s, unsigned int ms)
{
	struct __kernel_timespec wait = { .tv_nsec = ms * 1000000LL };
	struct io_uring_cqe *cqe;

	io_uring_wait_cqe_timeout(&s->ring, &cqe, &wait);
}

static void start(struct served *s)
{
	const struct ublk_bpf_attach attach = {
		.prog_fd = s->dev.prog_fd,
		.max_items = 1,
		.nr_slots = s->dev.nr_slots,
		.slots = (unsigned long)s->dev.slots,
	};

	require(test_device_add(&s->dev), "ADD_DEV");
	s->char_fd = test_server_char_node(s->dev.id);
	require(s->char_fd < 0 ? s->char_fd : 0, "/dev/ublkc%d", s->dev.id);
	require(ublk_command(UBLK_U_CMD_ATTACH_BPF, s->dev.id, (void *)&attach, sizeof(attach), 0),
		"ATTACH_BPF");
	require(io_uring_queue_init(8, &s->ring, s->dev.ring_flags), "ring");
	require(io_uring_register_buffers_sparse(&s->ring, 1), "a table of buffers");
	queue_command(&s->ring, s->char_fd, UBLK_U_IO_FETCH_REQ);
	require(ublk_command(UBLK_U_CMD_START_DEV, s->dev.id, NULL, 0, (__u64)getpid()),
		"START_DEV");
}

static void stop(struct served *s)
{
	require(ublk_command(UBLK_U_CMD_STOP_DEV, s->dev.id, NULL, 0, 0), "STOP_DEV");
	io_uring_queue_exit(&s->ring);
	close(s->char_fd);
	require(ublk_command(UBLK_U_CMD_DEL_DEV, s->dev.id, NULL, 0, 0), "DEL_DEV");
}

/* A child that writes to the device and exits with 0 if that works */
static pid_t write_later(const struct served *s, off_t off, const void *bytes)
{
	char node[32];
	pid_t pid;
	int fd;

	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (pid)
		return pid;
	snprintf(node, sizeof(node), "/dev/ublkb%d", s->dev.id);
	fd = open(node, O_RDWR | O_DIRECT);
	_exit(fd >= 0 && pwrite(fd, bytes, BYTES, off) == BYTES ? 0 : 1);
}

/* How many requests the device has; the second figure is of writes */
static bool is_in_flight(const struct served *s)
{
	unsigned int reads, writes;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/ublkb%d/inflight", s->dev.id);
	f = fopen(path, "r");
	require(f && fscanf(f, "%u %u", &reads, &writes) == 2 ? 0 : -EIO, "%s", path);
	fclose(f);
	return writes == 1;
}

static bool has_ended_well(struct served *s, pid_t writer)
{
	int status, ms;

	for (ms = 0; ms < 20000; ms += 10) {
		if (waitpid(writer, &status, WNOHANG) == writer)
			return WIFEXITED(status) && !WEXITSTATUS(status);
		run_task_work(s, 10);
	}
	kill(writer, SIGKILL);
	return false;
}

/* By pread() or pwrite() on /dev/ublkcN: 0, or why not */
static int copy_pages(int char_fd, bool write, void *bytes)
{
	ssize_t n = write ? pwrite(char_fd, bytes, BYTES, UBLKSRV_IO_BUF_OFFSET)
			  : pread(char_fd, bytes, BYTES, UBLKSRV_IO_BUF_OFFSET);

	return n < 0 ? -errno : n == BYTES ? 0 : -EIO;
}

static bool copies(const struct served *s)
{
	return s->dev.flags & UBLK_F_USER_COPY;
}

/* What is refused below works on a request that is the server's */
static void check_redirected(struct served *s)
{
	void *bytes = random_bytes(BYTES, 1), *seen = zero_bytes(BYTES);
	pid_t writer = write_later(s, HALF_BYTES, bytes);
	struct io_uring_cqe *cqe;
	int ret;

	require(io_uring_wait_cqe(&s->ring, &cqe), "wait for the redirected request");
	/* it was fetched, or with the one before committed */
	check(cqe->res == UBLK_IO_RES_OK, "%s: a redirected request comes to the server (%d)",
	      s->what, cqe->res);
	io_uring_cqe_seen(&s->ring, cqe);
	if (copies(s)) {
		ret = copy_pages(s->char_fd, false, seen);
		check(!ret && !memcmp(seen, bytes, BYTES), "%s: its pages can be read (%d)",
		      s->what, ret);
	} else {
		ret = command(&s->ring, s->char_fd, UBLK_U_IO_REGISTER_IO_BUF);
		check(!ret, "%s: its pages can be registered (%d)", s->what, ret);
		ret = command(&s->ring, s->char_fd, UBLK_U_IO_UNREGISTER_IO_BUF);
		check(!ret, "%s: and given back (%d)", s->what, ret);
	}
	queue_command(&s->ring, s->char_fd, UBLK_U_IO_COMMIT_AND_FETCH_REQ);
	check(has_ended_well(s, writer), "%s: and it can be committed", s->what);
	free(seen);
	free(bytes);
}

/* In a child, which is no server and has a ring of its own: 0 if all was refused */
static int try_elsewhere(const struct served *s)
{
	const unsigned int ops[] = { UBLK_U_IO_COMMIT_AND_FETCH_REQ, UBLK_U_IO_FETCH_REQ,
				     UBLK_U_IO_NEED_GET_DATA, UBLK_U_IO_REGISTER_IO_BUF };
	struct io_uring ring;
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		if (io_uring_queue_init(8, &ring, 0) || io_uring_register_buffers_sparse(&ring, 1))
			_exit(100);
		for (unsigned int i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
			int ret = command(&ring, s->char_fd, ops[i]);

			if (ret != -EINVAL && ret != -EBUSY)
				_exit((int)i + 1);
		}
		_exit(0);
	}
	require(waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void refuses(struct served *s, unsigned int op, const char *name)
{
	int ret = command(&s->ring, s->char_fd, op);

	check(ret == -EBUSY, "%s: %s: refused (%d)", s->what, name, ret);
}

static void check_routed(struct served *s)
{
	void *bytes = random_bytes(BYTES, 2), *other = random_bytes(BYTES, 3);
	int no_copy = copies(s) ? -EINVAL : -EACCES;
	pid_t writer = write_later(s, 0, bytes);
	int ret;

	while (!is_in_flight(s))
		run_task_work(s, 1);
	run_task_work(s, 50);
	refuses(s, UBLK_U_IO_COMMIT_AND_FETCH_REQ, "COMMIT_AND_FETCH_REQ");
	refuses(s, UBLK_U_IO_FETCH_REQ, "FETCH_REQ");
	refuses(s, UBLK_U_IO_NEED_GET_DATA, "NEED_GET_DATA");
	refuses(s, UBLK_U_IO_REGISTER_IO_BUF, "REGISTER_IO_BUF");
	ret = copy_pages(s->char_fd, false, other);
	check(ret == no_copy, "%s: its pages can't be read (%d)", s->what, ret);
	ret = copy_pages(s->char_fd, true, other);
	check(ret == no_copy, "%s: its pages can't be written (%d)", s->what, ret);
	ret = try_elsewhere(s);
	check(!ret, "%s: another task can do nothing with it, either (%d)", s->what, ret);
	check(is_in_flight(s), "%s: meanwhile it was in flight", s->what);
	check(has_ended_well(s, writer), "%s: it ends", s->what);
	check(holds(s->dev.slots[0].fd, 0, bytes, BYTES), "%s: with the bytes that it had",
	      s->what);
	free(other);
	free(bytes);
}

static void run(int program, int backend, __u64 flags, __u32 slot_flags, const char *what)
{
	struct served s = {
		.dev = {
			.flags = flags | UBLK_F_NO_AUTO_PART_SCAN,
			.depth = 1,
			.sectors = DEVICE_BYTES / 512,
			.chunk_sectors = HALF_BYTES / 512,
			.prog_fd = program,
			.slots = { { .fd = backend, .flags = slot_flags } },
			.nr_slots = 1,
		},
		.what = what,
	};

	start(&s);
	check_redirected(&s);
	check_routed(&s);
	check_redirected(&s);
	stop(&s);
}

int main(int argc, char **argv)
{
	const __u64 redirect_from = HALF_BYTES / 512;
	struct bpf_object *object;
	int program, backend;

	if (argc != 3) {
		fprintf(stderr, "usage: kernel_served OBJECT SLOW_DEVICE\n");
		return 2;
	}
	object = programs_open(argv[1]);
	constant_set(object, "redirect_from", &redirect_from, sizeof(redirect_from));
	programs_load(object);
	program = program_fd(object, "route");
	backend = require_fd(open(argv[2], O_RDWR | O_DIRECT | O_EXCL), argv[2]);

	run(program, backend, UBLK_F_USER_COPY, 0, "bio, USER_COPY");
	run(program, backend, UBLK_F_USER_COPY, UBLK_BPF_SLOT_RING, "ring, USER_COPY");
	run(program, backend, UBLK_F_SUPPORT_ZERO_COPY, 0, "bio, SUPPORT_ZERO_COPY");
	run(program, backend, UBLK_F_SUPPORT_ZERO_COPY, UBLK_BPF_SLOT_RING,
	    "ring, SUPPORT_ZERO_COPY");
	return check_result();
}
