// SPDX-License-Identifier: GPL-2.0-only
/*
 * attach OBJECT FILE BLOCK_DEVICE: what UBLK_U_CMD_ATTACH_BPF and the commands
 * around it refuse, and whom.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <bpf/bpf.h>
#include <liburing.h>
#include <linux/capability.h>

#include "test_device.h"
#include "test_program.h"

#define DEVICE_SECTORS 16384

struct attach_test {
	struct test_device dev;
	const char *file, *block_device;
	int file_fd, bdev_fd;
};

static const char *text_of(int ret)
{
	return ret ? strerror(-ret) : "success";
}

static void expect(int ret, int expected, const char *what)
{
	check(ret == expected, "%s: %s%s%s", what, text_of(expected),
	      ret == expected ? "" : ", but it gave ", ret == expected ? "" : text_of(ret));
}

/* The parameter of one attach command */
struct trial {
	struct ublk_bpf_attach attach;
	struct ublk_bpf_slot slot;
};

static int try_attach(const struct attach_test *t, const struct trial *trial)
{
	struct ublk_bpf_attach attach = trial->attach;

	/* unless the test wants another place */
	if (!attach.slots)
		attach.slots = (unsigned long)&trial->slot;
	return ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &attach, sizeof(attach), 0);
}

static struct trial good_trial(const struct attach_test *t)
{
	return (struct trial){
		.attach = { .prog_fd = t->dev.prog_fd, .max_items = 1, .nr_slots = 1 },
		.slot = { .fd = t->file_fd },
	};
}

/* An attach that would work without @change */
#define EXPECT_ATTACH(t, expected, what, change)                            \
	do {                                                                \
		struct trial bad = good_trial(t);                           \
                                                                            \
		change;                                                     \
		expect(try_attach((t), &bad), (expected), "attach: " what); \
	} while (0)

static int other_program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SOCKET_FILTER, "other", "GPL", insns, 2, NULL);

	require(fd, "load a socket filter");
	return fd;
}

static void check_fields(struct attach_test *t)
{
	struct trial good = good_trial(t);
	int program = other_program();

	EXPECT_ATTACH(t, -EINVAL, "an unknown flag", bad.attach.flags = 1U << 31);
	EXPECT_ATTACH(t, -EINVAL, "a reserved field", bad.attach.reserved0 = 1);
	EXPECT_ATTACH(t, -EINVAL, "slots not to flush, with nothing to replace",
		      bad.attach.no_flush = 1);
	EXPECT_ATTACH(t, -EINVAL, "a complete program without its flag",
		      bad.attach.complete_fd = t->dev.prog_fd);
	EXPECT_ATTACH(t, -EINVAL, "no items", bad.attach.max_items = 0);
	EXPECT_ATTACH(t, -EINVAL, "too many items", bad.attach.max_items = UBLK_BPF_MAX_ITEMS + 1);
	EXPECT_ATTACH(t, -EINVAL, "too many slots", bad.attach.nr_slots = UBLK_BPF_MAX_SLOTS + 1);
	EXPECT_ATTACH(t, -EFAULT, "slots that are nowhere", bad.attach.slots = 8);
	EXPECT_ATTACH(t, -EBADF, "no program", bad.attach.prog_fd = -1);
	EXPECT_ATTACH(t, -EINVAL, "a file as program", bad.attach.prog_fd = t->file_fd);
	EXPECT_ATTACH(t, -EINVAL, "a program of another type", bad.attach.prog_fd = program);
	EXPECT_ATTACH(t, -EINVAL, "replace where nothing is attached",
		      bad.attach.flags = UBLK_BPF_ATTACH_REPLACE);
	expect(ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, &good.attach, sizeof(good.attach) - 1,
			    0),
	       -EINVAL, "attach: a short parameter");
	expect(ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, NULL, sizeof(good.attach), 0),
	       -EINVAL, "attach: no parameter");
	expect(ublk_command(UBLK_U_CMD_ATTACH_BPF, t->dev.id, (void *)8, sizeof(good.attach), 0),
	       -EFAULT, "attach: a parameter that is nowhere");
	expect(ublk_command(UBLK_U_CMD_DETACH_BPF, t->dev.id, NULL, 0, 0), -EINVAL,
	       "detach: nothing is attached");
	close(program);
}

static void check_slot_fd(struct attach_test *t, const char *what, int fd, int expected)
{
	struct trial trial = good_trial(t);
	char text[128];

	trial.slot.fd = fd;
	snprintf(text, sizeof(text), "slot: %s", what);
	expect(try_attach(t, &trial), expected, text);
	if (fd >= 0)
		close(fd);
}

static void check_slots(struct attach_test *t)
{
	const int closed = 900; /* nothing here opens so many */
	int pipe_fds[2];

	require(pipe(pipe_fds), "pipe");
	close(pipe_fds[1]);
	EXPECT_ATTACH(t, -EINVAL, "an unknown flag of a slot", bad.slot.flags = 1U << 31);
	EXPECT_ATTACH(t, -EINVAL, "a kept slot where nothing is attached",
		      bad.slot.flags = UBLK_BPF_SLOT_KEEP);
	check_slot_fd(t, "-1", -1, -EBADF);
	EXPECT_ATTACH(t, -EBADF, "a closed descriptor", bad.slot.fd = closed);
	check_slot_fd(t, "O_PATH", open(t->file, O_PATH), -EBADF);
	check_slot_fd(t, "O_APPEND", open(t->file, O_RDWR | O_APPEND), -EINVAL);
	check_slot_fd(t, "O_NONBLOCK", open(t->file, O_RDWR | O_NONBLOCK), -EINVAL);
	check_slot_fd(t, "O_NONBLOCK on a block device",
		      open(t->block_device, O_RDWR | O_EXCL | O_NONBLOCK), -EINVAL);
	check_slot_fd(t, "a block device that is not open exclusively",
		      open(t->block_device, O_RDWR), -EINVAL);
	check_slot_fd(t, "a directory", open("/", O_RDONLY | O_DIRECTORY), -EINVAL);
	check_slot_fd(t, "a pipe", pipe_fds[0], -EINVAL);
	check_slot_fd(t, "a socket", socket(AF_UNIX, SOCK_STREAM, 0), -EINVAL);
	check_slot_fd(t, "an eventfd", eventfd(0, 0), -EINVAL);
	check_slot_fd(t, "a character device", open("/dev/null", O_RDWR), -EINVAL);
	check_slot_fd(t, "the program itself", dup(t->dev.prog_fd), -EINVAL);
}

/* --- credentials of who asks --- */

/* In a child that lacks a capability: the command's result */
static int without(unsigned int capability, const struct attach_test *t, unsigned int op)
{
	struct trial trial = good_trial(t);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		drop_capability(capability);
		trial.attach.slots = (unsigned long)&trial.slot;
		_exit(-ublk_command(op, t->dev.id, &trial.attach, sizeof(trial.attach), 0) & 0xff);
	}
	require(waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
	return -WEXITSTATUS(status);
}

static void check_capabilities(struct attach_test *t)
{
	expect(without(CAP_SYS_ADMIN, t, UBLK_U_CMD_ATTACH_BPF), -EPERM,
	       "attach without CAP_SYS_ADMIN");
	expect(without(CAP_SYS_ADMIN, t, UBLK_U_CMD_DETACH_BPF), -EPERM,
	       "detach without CAP_SYS_ADMIN");
	expect(without(CAP_BPF, t, UBLK_U_CMD_ATTACH_BPF), -EPERM, "attach without CAP_BPF");
	expect(without(CAP_BPF, t, UBLK_U_CMD_DETACH_BPF), -EPERM, "detach without CAP_BPF");
}

/* --- a live device --- */

static void check_live(struct attach_test *t)
{
	char node[32];
	int disk;

	snprintf(node, sizeof(node), "/dev/ublkb%d", t->dev.id);
	disk = require_fd(open(node, O_RDWR | O_EXCL), node);
	EXPECT_ATTACH(t, -EBUSY, "a second one", (void)0);
	EXPECT_ATTACH(t, -ELOOP, "the device as its own backend",
		      bad.attach.flags = UBLK_BPF_ATTACH_REPLACE;
		      bad.slot.fd = disk);
	close(disk);
	EXPECT_ATTACH(t, -EBADF, "keep a slot that is not there",
		      bad.attach.flags = UBLK_BPF_ATTACH_REPLACE;
		      bad.slot.flags = UBLK_BPF_SLOT_KEEP; bad.slot.fd = 1);
	EXPECT_ATTACH(t, -EBADF, "keep a slot with a negative number",
		      bad.attach.flags = UBLK_BPF_ATTACH_REPLACE;
		      bad.slot.flags = UBLK_BPF_SLOT_KEEP; bad.slot.fd = -1);
	EXPECT_ATTACH(t, 0, "keep the slot that is there",
		      bad.attach.flags = UBLK_BPF_ATTACH_REPLACE;
		      bad.slot.flags = UBLK_BPF_SLOT_KEEP; bad.slot.fd = 0);
}

static void check_start_without(struct attach_test *t)
{
	struct test_device dev = t->dev;

	dev.prog_fd = -1;
	require(test_device_add(&dev), "ADD_DEV");
	expect(test_device_serve(&dev, false), -EINVAL, "START_DEV with nothing attached");
	require(ublk_command(UBLK_U_CMD_DEL_DEV, dev.id, NULL, 0, 0), "DEL_DEV");
}

static void check_ring(struct attach_test *t, unsigned int flags, int expected, const char *what)
{
	struct test_device dev = t->dev;
	int ret;

	dev.ring_flags = flags;
	require(test_device_add(&dev), "ADD_DEV");
	ret = test_device_serve(&dev, false);
	expect(ret, expected, what);
	if (ret)
		require(ublk_command(UBLK_U_CMD_DEL_DEV, dev.id, NULL, 0, 0), "DEL_DEV");
	else
		test_device_remove(&dev);
}

static void check_other_device(struct attach_test *t)
{
	struct attach_test other = *t;

	other.dev.flags = UBLK_F_USER_COPY;
	other.dev.plain = true;
	require(test_device_add(&other.dev), "ADD_DEV of an ordinary device");
	EXPECT_ATTACH(&other, -EOPNOTSUPP, "a device without UBLK_F_BPF", (void)0);
	expect(ublk_command(UBLK_U_CMD_DETACH_BPF, other.dev.id, NULL, 0, 0), -EOPNOTSUPP,
	       "detach: a device without UBLK_F_BPF");
	require(ublk_command(UBLK_U_CMD_DEL_DEV, other.dev.id, NULL, 0, 0), "DEL_DEV");
}

int main(int argc, char **argv)
{
	struct bpf_object *object;
	struct attach_test t = {};

	if (argc != 4) {
		fprintf(stderr, "usage: attach OBJECT FILE BLOCK_DEVICE\n");
		return 2;
	}
	object = programs_open(argv[1]);
	programs_load(object);
	t.file = argv[2];
	t.block_device = argv[3];
	t.file_fd = require_fd(open(t.file, O_RDWR), t.file);
	t.dev = (struct test_device){
		.flags = UBLK_F_USER_COPY,
		.sectors = DEVICE_SECTORS,
		.prog_fd = program_fd(object, "route"),
		.slots = { { .fd = t.file_fd } },
		.nr_slots = 1,
	};
	require(test_device_add(&t.dev), "ADD_DEV");
	check_fields(&t);
	check_slots(&t);
	check_capabilities(&t);
	/* none of them left something attached */
	require(test_device_serve(&t.dev, false), "start the server");
	check_live(&t);
	test_device_remove(&t.dev);

	check_start_without(&t);
	check_other_device(&t);
	check_ring(&t, IORING_SETUP_IOPOLL, -EOPNOTSUPP, "FETCH on a ring with IOPOLL");
	check_ring(&t, IORING_SETUP_SQPOLL, -EOPNOTSUPP, "FETCH on a ring with SQPOLL");
	check_ring(&t, IORING_SETUP_COOP_TASKRUN, 0, "FETCH on a ring with COOP_TASKRUN");
	check_ring(&t, IORING_SETUP_SINGLE_ISSUER, 0, "FETCH on a ring without DEFER_TASKRUN");
	return check_result();
}
