// SPDX-License-Identifier: GPL-2.0-only
/*
 * combinations OBJECT BACKEND: UBLK_F_BPF together with each other feature of ublk,
 * on a file or a block device.
 * Those that go with it do I/O through the feature; the others are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <linux/capability.h>
#include <linux/fs.h>

#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define DEVICE_BYTES (4U << 20)
#define HALF_BYTES   (DEVICE_BYTES / 2)

/* The second half of the device is redirected, and served from the same backend */
struct combination {
	int prog_fd, file_fd;
	int whole_fd; /* the program that redirects nothing */
};

static struct test_device device(const struct combination *c, __u64 flags)
{
	return (struct test_device){
		.flags = flags,
		.sectors = DEVICE_BYTES / 512,
		.chunk_sectors = HALF_BYTES / 512,
		.prog_fd = c->prog_fd,
		.slots = { { .fd = c->file_fd } },
		.nr_slots = 1,
		.serve = flags & UBLK_F_AUTO_BUF_REG ? SERVE_AUTO_BUF : SERVE_USER_COPY,
		.serve_fd = c->file_fd,
	};
}

/* I/O through the policy and through the server; how many requests took that way */
static unsigned long check_io(struct test_device *dev, const char *what)
{
	unsigned long before = dev->counters->redirected;
	void *out = random_bytes(DEVICE_BYTES, (unsigned int)dev->flags);

	check(!transfer(dev->disk_fd, true, 0, out, DEVICE_BYTES, 16) &&
		      holds(dev->disk_fd, 0, out, DEVICE_BYTES) &&
		      holds(dev->slots[0].fd, 0, out, DEVICE_BYTES),
	      "%s: data is written and read", what);
	free(out);
	return dev->counters->redirected - before;
}

static void check_works(const struct combination *c, __u64 flags, unsigned int threads,
			const char *what)
{
	struct test_device dev = device(c, flags);

	dev.threads_per_queue = threads;
	test_device_start(&dev);
	check(check_io(&dev, what) > 0, "%s: the server serves its half", what);
	test_device_remove(&dev);
}

static void check_refused(const struct combination *c, __u64 flag, const char *what)
{
	struct test_device dev = device(c, UBLK_F_USER_COPY | flag);
	int ret = test_device_add(&dev);

	check(ret == -EOPNOTSUPP, "%s: refused (%d)", what, ret);
	if (!ret)
		ublk_command(UBLK_U_CMD_DEL_DEV, dev.id, NULL, 0, 0);
}

/* Only who lacks CAP_SYS_ADMIN gets an unprivileged device */
static void check_unprivileged_refused(const struct combination *c)
{
	struct test_device dev = device(c, UBLK_F_UNPRIVILEGED_DEV);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		drop_capability(CAP_SYS_ADMIN);
		_exit(-test_device_add(&dev) & 0xff);
	}
	require(waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
	check(WEXITSTATUS(status) == EOPNOTSUPP, "UNPRIVILEGED_DEV: refused (%d)",
	      WEXITSTATUS(status));
}

/* --- under load --- */

struct load {
	pid_t pid;
	int result; /* read end of a pipe */
};

/* Other bytes than in the rounds before: one of these that is written late is noticed */
static void stamp(char *bytes, size_t len, unsigned int round)
{
	for (size_t at = 0; at < len; at += 512)
		memcpy(bytes + at, &round, sizeof(round));
}

/* A child that writes the first @len bytes and reads them back until it has an error */
static struct load start_load(const struct test_device *dev, size_t len)
{
	struct load load;
	int fds[2], ret = 0;
	unsigned int round;
	char *out, *in;

	require(pipe(fds), "pipe");
	fflush(stdout);
	load.pid = fork();
	require(load.pid < 0 ? -errno : 0, "fork");
	if (!load.pid) {
		out = random_bytes(len, 3);
		in = zero_bytes(len);
		close(fds[0]);
		/* until the test says that it is enough, by closing its end */
		for (round = 1; !ret; round++) {
			stamp(out, len, round);
			ret = transfer(dev->disk_fd, true, 0, out, len, 8);
			if (!ret)
				ret = transfer(dev->disk_fd, false, 0, in, len, 8);
			if (!ret && memcmp(in, out, len))
				ret = -EILSEQ;
			if (!ret && write(fds[1], &ret, sizeof(ret)) < 0)
				_exit(0);
		}
		if (write(fds[1], &ret, sizeof(ret)) < 0)
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	load.result = fds[0];
	return load;
}

/* The load's next round: 0 or its error */
static int load_round(const struct load *load)
{
	int ret;

	return read(load->result, &ret, sizeof(ret)) == sizeof(ret) ? ret : -EPIPE;
}

static bool two_rounds(const struct load *load)
{
	return !load_round(load) && !load_round(load);
}

/* Nothing is served now: the next round is one that ends later */
static void forget_rounds(const struct load *load)
{
	int ret;

	require(fcntl(load->result, F_SETFL, O_NONBLOCK) ? -errno : 0, "F_SETFL");
	while (read(load->result, &ret, sizeof(ret)) == sizeof(ret))
		;
	require(fcntl(load->result, F_SETFL, 0) ? -errno : 0, "F_SETFL");
}

static void end_load(const struct load *load)
{
	kill(load->pid, SIGKILL);
	waitpid(load->pid, NULL, 0);
	close(load->result);
}

/* Detached, the server serves all requests; attached, the program its half again */
static void check_detach(const struct combination *c)
{
	struct test_device dev = device(c, UBLK_F_USER_COPY);
	struct ublk_bpf_attach attach = {
		.prog_fd = dev.prog_fd,
		.max_items = 8,
		.nr_slots = dev.nr_slots,
		.slots = (unsigned long)dev.slots,
	};
	struct load load;
	unsigned long before = 0;
	bool went_on = true;
	int round, ret = 0;

	test_device_start(&dev);
	load = start_load(&dev, HALF_BYTES);
	for (round = 0; !ret && went_on && round < 10; round++) {
		before = dev.counters->redirected;
		went_on = two_rounds(&load) && dev.counters->redirected == before;
		ret = ublk_command(UBLK_U_CMD_DETACH_BPF, dev.id, NULL, 0, 0);
		went_on = went_on && two_rounds(&load) && dev.counters->redirected > before;
		if (!ret)
			ret = ublk_command(UBLK_U_CMD_ATTACH_BPF, dev.id, &attach, sizeof(attach),
					   0);
		/* what the server has begun before */
		went_on = went_on && two_rounds(&load);
	}
	check(!ret && round == 10, "DETACH under load: %d of 10 rounds (%d)", round, ret);
	check(went_on, "DETACH under load: the server serves, and the program again");
	end_load(&load);
	check_io(&dev, "DETACH under load");
	test_device_remove(&dev);
}

/* --- recovery --- */

static int state_of(const struct test_device *dev)
{
	struct ublksrv_ctrl_dev_info info;

	require(ublk_command(UBLK_U_CMD_GET_DEV_INFO, dev->id, &info, sizeof(info), 0),
		"GET_DEV_INFO");
	return info.state;
}

static bool reaches_state(const struct test_device *dev, int state)
{
	int ms;

	for (ms = 0; ms < 10000 && state_of(dev) != state; ms++)
		usleep(1000);
	return state_of(dev) == state;
}

static void check_recovery(const struct combination *c, __u64 flags, const char *what)
{
	struct test_device dev = device(c, UBLK_F_USER_COPY | UBLK_F_USER_RECOVERY | flags);
	bool fails = flags & UBLK_F_USER_RECOVERY_FAIL_IO;
	/* without REISSUE, requests that the server has when it dies fail */
	size_t span = flags & UBLK_F_USER_RECOVERY_REISSUE ? DEVICE_BYTES : HALF_BYTES;
	struct load load;
	int ret;

	test_device_start(&dev);
	load = start_load(&dev, span);
	check(two_rounds(&load), "%s: I/O before", what);
	test_device_kill(&dev);
	if (fails) {
		while (!(ret = load_round(&load)))
			;
		check(ret == -EIO, "%s: I/O without a server fails", what);
	}
	check(reaches_state(&dev, fails ? UBLK_S_DEV_FAIL_IO : UBLK_S_DEV_QUIESCED),
	      "%s: the driver saw the server's end", what);
	if (!fails)
		forget_rounds(&load);
	ret = test_device_serve(&dev, true);
	check(!ret, "%s: a new server takes over (%d)", what, ret);
	if (!ret && !fails)
		check(two_rounds(&load), "%s: I/O goes on as if nothing had been", what);
	end_load(&load);
	if (!ret)
		check_io(&dev, what);
	test_device_remove(&dev);
}

/*
 * A server that is told to go away under load; requests wait for the next one. The
 * commands of what the program routes end, and those that wait for a request. Those of
 * requests that the server has at that moment, committed later, end when it has left.
 */
static void check_quiesce(const struct combination *c, bool redirects)
{
	struct test_device dev = device(c, UBLK_F_USER_COPY | UBLK_F_USER_RECOVERY |
						   UBLK_F_USER_RECOVERY_REISSUE | UBLK_F_QUIESCE);
	const char *what = redirects ? "QUIESCE, redirected" : "QUIESCE";
	struct load load;
	int ret;

	/* the server is never without a request when it is told to leave */
	dev.serve_us = redirects ? 5000 : 0;
	dev.leaves = redirects;
	test_device_start(&dev);
	check_io(&dev, what);
	load = start_load(&dev, redirects ? DEVICE_BYTES : HALF_BYTES);
	check(two_rounds(&load), "%s: I/O before", what);
	ret = ublk_command(UBLK_U_CMD_QUIESCE_DEV, dev.id, NULL, 0, 10000);
	check(!ret, "%s: the command works (%d)", what, ret);
	check(waitpid(dev.server, NULL, 0) == dev.server, "%s: the server's commands ended", what);
	check(reaches_state(&dev, UBLK_S_DEV_QUIESCED), "%s: the device is quiesced", what);
	forget_rounds(&load);
	ret = test_device_serve(&dev, true);
	check(!ret, "%s: a new server takes over (%d)", what, ret);
	if (!ret)
		check(two_rounds(&load), "%s: requests that waited go on", what);
	end_load(&load);
	if (!ret)
		check_io(&dev, what);
	test_device_remove(&dev);
}

static void check_update_size(const struct combination *c)
{
	struct test_device dev = device(c, UBLK_F_USER_COPY | UBLK_F_UPDATE_SIZE);
	void *out = random_bytes(65536, 8);
	unsigned long long bytes = 0;
	int ret;

	dev.prog_fd = c->whole_fd;
	test_device_start(&dev);
	ret = ublk_command(UBLK_U_CMD_UPDATE_SIZE, dev.id, NULL, 0, 2 * DEVICE_BYTES / 512);
	require(ioctl(dev.disk_fd, BLKGETSIZE64, &bytes) ? -errno : 0, "BLKGETSIZE64");
	check(!ret && bytes == 2 * DEVICE_BYTES, "UPDATE_SIZE: the device is larger (%d)", ret);
	check(!transfer(dev.disk_fd, true, DEVICE_BYTES + 65536, out, 65536, 4) &&
		      holds(c->file_fd, DEVICE_BYTES + 65536, out, 65536),
	      "UPDATE_SIZE: I/O in what was added");
	ret = ublk_command(UBLK_U_CMD_UPDATE_SIZE, dev.id, NULL, 0, HALF_BYTES / 512);
	check(!ret && transfer(dev.disk_fd, false, HALF_BYTES, out, 512, 1),
	      "UPDATE_SIZE: no I/O in what was cut off");
	check(!transfer(dev.disk_fd, true, 0, out, 65536, 4), "UPDATE_SIZE: I/O in what is left");
	check(!dev.counters->redirected, "UPDATE_SIZE: the program has routed it all");
	test_device_remove(&dev);
	free(out);
}

/* A block device wants to be exclusive, and its bios pass by its page cache */
static int open_backend(const char *path)
{
	int flags = O_RDWR;
	struct stat st;

	require(stat(path, &st) ? -errno : 0, "stat %s", path);
	if (S_ISBLK(st.st_mode))
		flags |= O_DIRECT | O_EXCL;
	return require_fd(open(path, flags), path);
}

/* The program that redirects what is from a sector on */
static int load_program(const char *path, __u64 from)
{
	struct bpf_object *object = programs_open(path);

	constant_set(object, "redirect_from", &from, sizeof(from));
	programs_load(object);
	return program_fd(object, "route");
}

int main(int argc, char **argv)
{
	struct combination c = {};

	if (argc != 3) {
		fprintf(stderr, "usage: combinations OBJECT BACKEND\n");
		return 2;
	}
	c.prog_fd = load_program(argv[1], HALF_BYTES / 512);
	c.whole_fd = load_program(argv[1], ~0ULL);
	c.file_fd = open_backend(argv[2]);

	check_works(&c, UBLK_F_USER_COPY, 1, "USER_COPY");
	check_works(&c, UBLK_F_AUTO_BUF_REG, 1, "AUTO_BUF_REG");
	check_works(&c, UBLK_F_USER_COPY | UBLK_F_PER_IO_DAEMON, 4, "PER_IO_DAEMON");
	check_works(&c, UBLK_F_AUTO_BUF_REG | UBLK_F_PER_IO_DAEMON, 4,
		    "AUTO_BUF_REG and PER_IO_DAEMON");
	check_works(&c, UBLK_F_USER_COPY | UBLK_F_NO_AUTO_PART_SCAN, 1, "NO_AUTO_PART_SCAN");
	check_works(&c, UBLK_F_USER_COPY | UBLK_F_URING_CMD_COMP_IN_TASK, 1,
		    "URING_CMD_COMP_IN_TASK");
	check_works(&c, UBLK_F_USER_COPY | UBLK_F_SAFE_STOP_DEV, 1, "SAFE_STOP_DEV");
	check_works(&c, UBLK_F_AUTO_BUF_REG | UBLK_F_SUPPORT_ZERO_COPY, 1, "SUPPORT_ZERO_COPY");
	check_works(&c, UBLK_F_AUTO_BUF_REG | UBLK_F_SUPPORT_ZERO_COPY | UBLK_F_BUF_REG_OFF_DAEMON,
		    1, "BUF_REG_OFF_DAEMON");
	check_detach(&c);
	check_recovery(&c, 0, "USER_RECOVERY");
	check_recovery(&c, UBLK_F_USER_RECOVERY_REISSUE, "USER_RECOVERY_REISSUE");
	check_recovery(&c, UBLK_F_USER_RECOVERY_FAIL_IO, "USER_RECOVERY_FAIL_IO");
	check_quiesce(&c, false);
	check_quiesce(&c, true);
	check_update_size(&c);

	check_refused(&c, UBLK_F_BATCH_IO, "BATCH_IO");
	check_refused(&c, UBLK_F_ZONED, "ZONED");
	check_refused(&c, UBLK_F_INTEGRITY, "INTEGRITY");
	check_refused(&c, UBLK_F_SHMEM_ZC, "SHMEM_ZC");
	check_refused(&c, UBLK_F_NEED_GET_DATA, "NEED_GET_DATA");
	check_unprivileged_refused(&c);
	return check_result();
}
