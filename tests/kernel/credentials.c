// SPDX-License-Identifier: GPL-2.0-only
/*
 * credentials OBJECT FILE: I/O on a backend is the server's, not the
 * submitter's. A write by somebody without CAP_FSETID takes the set-user-ID bit
 * from a file, and RLIMIT_FSIZE stops whom it limits: that tells whose it is. The
 * submitter's I/O priority is one that the server may not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "test_device.h"
#include "test_io.h"
#include "test_program.h"

#define NOBODY	     65534
#define DEVICE_BYTES (8U << 20)
#define REALTIME     IOPRIO_PRIO_VALUE(IOPRIO_CLASS_RT, 4)

/* In a child that is @uid, and may write no file beyond 4 KiB: 0 or its errno */
static int write_as(const struct test_device *dev, uid_t uid)
{
	const struct rlimit limit = { 4096, 4096 };
	void *bytes = random_bytes(65536, uid);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	require(pid < 0 ? -errno : 0, "fork");
	if (!pid) {
		signal(SIGXFSZ, SIG_IGN);
		if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, REALTIME) < 0)
			_exit(errno);
		if (setrlimit(RLIMIT_FSIZE, &limit) || setresuid(uid, uid, uid))
			_exit(errno);
		_exit(pwrite(dev->disk_fd, bytes, 65536, 1 << 20) == 65536 ? 0 : errno);
	}
	require(waitpid(pid, &status, 0) == pid ? 0 : -errno, "waitpid");
	free(bytes);
	return WEXITSTATUS(status);
}

static bool has_set_user_id(int fd)
{
	struct stat st;

	require(fstat(fd, &st) ? -errno : 0, "fstat");
	return st.st_mode & S_ISUID;
}

static void run(struct test_device *dev, uid_t server, uid_t submitter, bool kept)
{
	int file = dev->slots[0].fd;

	dev->server_uid = server;
	require(fchmod(file, S_ISUID | S_IXUSR | 0755) ? -errno : 0, "chmod u+s");
	test_device_start(dev);
	check(!write_as(dev, submitter), "the server is %u, the submitter %u: write", server,
	      submitter);
	check(has_set_user_id(file) == kept,
	      "the server is %u, the submitter %u: the set-user-ID bit is %s", server, submitter,
	      kept ? "kept" : "gone");
	test_device_remove(dev);
}

int main(int argc, char **argv)
{
	struct test_device dev = {
		.flags = UBLK_F_USER_COPY,
		.sectors = DEVICE_BYTES / 512,
		.nr_slots = 1,
	};
	struct bpf_object *object;

	if (argc != 3) {
		fprintf(stderr, "usage: credentials OBJECT FILE\n");
		return 2;
	}
	object = programs_open(argv[1]);
	programs_load(object);
	dev.prog_fd = program_fd(object, "route");
	dev.slots[0].fd = require_fd(open(argv[2], O_RDWR), argv[2]);
	run(&dev, 0, 0, true);
	run(&dev, 0, NOBODY, true);
	run(&dev, NOBODY, 0, false);
	run(&dev, NOBODY, NOBODY, false);
	return check_result();
}
