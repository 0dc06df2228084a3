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
}

/*
 * A daemon that lives sees its FETCH commands aborted, cleans up and deletes
 * the device itself; deleting waits until it has closed the device.
 */
static int stop_and_delete(struct ublk_control *control, const struct ublkpol_info *info,
			   bool force)
{
	int ret;

	if (info->status != UBLKPOL_STALE) {
		ret = force ? ublk_control_stop(control, info->id)
			    : ublk_control_stop_unused(control, info->id);
		if (ret && ret != -ENODEV)
			return ret;
	}
	if (!info->daemon_alive)
		state_remove(info->id);
	if (info->status == UBLKPOL_STALE)
		return 0;

	/* Gone, or gone as soon as whoever has it open lets go */
	ret = ublk_control_del(control, info->id);
	return ret == -ENODEV || ret == -EBUSY ? 0 : ret;
}

static int explain(int code, int id, struct ublkpol_error *err)
{
	switch (code) {
	case -EBUSY:
		return error_set(err, UBLKPOL_ERR_FAILED, code,
				 UBLKPOL_NODE " is in use (mounted, open, or backend of another "
					      "device): end that first, or force it",
				 id);
	default:
		return error_set(err, UBLKPOL_ERR_FAILED, code, "cannot delete device %d: %s", id,
				 strerror(-code));
	}
}

/*
 * The driver does not stop a device during a swap, which may have to wait for a stuck
 * backend. Who waits for that must not have the lock of all devices yet.
 * @fd: -1 if there is nothing that could be swapped
 */
static int lock_policy(int id, int *fd, struct ublkpol_error *err)
{
	int ret = state_lock_device(id, fd);

	if (ret)
		*fd = -1;
	if (ret && ret != -ENOENT)
		return error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot lock device %d: %s", id,
				 strerror(-ret));
	return 0;
}

int ublkpol_delete(int id, bool force, struct ublkpol_error *err)
{
	struct ublk_control control = { .fd = -1 };
	int device_lock, lock_fd, pid_fd, ret;
	struct ublkpol_info info;

	ret = lock_policy(id, &device_lock, err);
	if (ret)
		return ret;
	ret = state_lock(&lock_fd, err);
	if (ret)
		goto unlock_policy;
	ret = list_open_control(&control, err);
	if (ret)
		goto out;

	ret = list_find(&control, id, &info, err);
	if (ret)
		goto out;
	pid_fd = open_daemon(&info);
	ret = stop_and_delete(&control, &info, force);
	if (ret)
		explain(ret, id, err);
	else
		wait_for_daemon(pid_fd);
	/* It may have died before it cleaned up. Nobody else can have got the number yet */
	if (!ret && !state_daemon_alive(id))
		state_remove(id);
	if (pid_fd >= 0)
		close(pid_fd);
	state_free_info(&info);
out:
	ublk_control_close(&control);
	close(lock_fd);
unlock_policy:
	if (device_lock >= 0)
		close(device_lock);
	return ret;
}
