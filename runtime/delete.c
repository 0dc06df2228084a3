// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "list.h"
#include "state.h"

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
	int lock_fd, ret;

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
		ret = stop_and_delete(&control, id, &info);
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
