// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/pidfd.h>

#include "error.h"
#include "list.h"
#include "state.h"

/* The daemon has nothing left to do but to exit */
#define DAEMON_EXIT_MS 10000

/* A descriptor of the daemon's process, or -1 if it is gone */
static int open_daemon(const struct ublkpol_info *info)
{
	int fd;

	if (!info->daemon_alive)
		return -1;
	fd = pidfd_open(info->pid, 0);
	/* Only if it lives still is this number its own */
	if (fd >= 0 && !state_daemon_alive(info->id)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void wait_for_daemon(int pid_fd)
{
	struct pollfd daemon = { .fd = pid_fd, .events = POLLIN };

	if (pid_fd < 0)
		return;
	while (poll(&daemon, 1, DAEMON_EXIT_MS) < 0 && errno == EINTR)
		;
	close(pid_fd);
}

/*
 * A daemon that lives sees its FETCH commands aborted, cleans up and deletes
 * the device itself; deleting waits until it has closed the device.
 */
static int stop_and_delete(struct ublk_control *control, int id, const struct ublkpol_info *info)
{
	int ret;

	if (info->status != UBLKPOL_STALE) {
		ret = ublk_control_stop(control, id);
		if (ret && ret != -ENODEV)
			return ret;
	}
	if (!info->daemon_alive)
		state_remove(id);
	if (info->status == UBLKPOL_STALE)
		return 0;
	ret = ublk_control_del(control, id);
	return ret == -ENODEV ? 0 : ret;
}

int ublkpol_delete(int id, struct ublkpol_error *err)
{
	struct ublk_control control = { .fd = -1 };
	struct ublkpol_info info;
	int lock_fd, pid_fd, ret;

	ret = state_lock(&lock_fd, err);
	if (ret)
		return ret;
	ret = list_open_control(&control, err);
	if (ret)
		goto out;

	ret = list_lookup(&control, id, &info);
	if (ret == -ENODEV) {
		error_set(err, UBLKPOL_ERR_NO_DEVICE, ret, "there is no policy device %d", id);
		goto out;
	}
	if (ret == -EPERM) {
		error_set(err, UBLKPOL_ERR_NO_DEVICE, ret,
			  "ublk device %d is not a policy device: delete it with the tool that "
			  "added it",
			  id);
		goto out;
	}
	if (!ret) {
		pid_fd = open_daemon(&info);
		ret = stop_and_delete(&control, id, &info);
		if (ret && pid_fd >= 0)
			close(pid_fd);
		else
			wait_for_daemon(pid_fd);
		state_free_info(&info);
	}
	if (ret)
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot delete device %d: %s", id,
			  strerror(-ret));
out:
	ublk_control_close(&control);
	close(lock_fd);
	return ret;
}
