// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which policy devices there are. The kernel knows which devices exist and
 * whether they are live; the state files know the rest.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "disk_attribute.h"
#include "list.h"
#include "state.h"
#include "swap.h"

#define UBLK_CHAR_CLASS "/sys/class/ublk-char"

struct id_list {
	int *ids;
	size_t count;
};

static int id_list_add(struct id_list *list, int id)
{
	int *grown;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->ids[i] == id)
			return 0;
	}
	grown = realloc(list->ids, (list->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	list->ids = grown;
	grown[list->count++] = id;
	return 0;
}

/* Numbers of all ublk devices, of any server */
static int add_kernel_ids(struct id_list *list)
{
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	dir = opendir(UBLK_CHAR_CLASS);
	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && (entry = readdir(dir))) {
		char rest;
		int id;

		if (sscanf(entry->d_name, "ublkc%d%c", &id, &rest) == 1)
			ret = id_list_add(list, id);
	}
	closedir(dir);
	return ret;
}

static int add_state_ids(struct id_list *list)
{
	int *ids, ret;
	size_t count, i;

	ret = state_ids(&ids, &count);
	for (i = 0; !ret && i < count; i++)
		ret = id_list_add(list, ids[i]);
	free(ids);
	return ret;
}

static int compare_ids(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

static enum ublkpol_status status_of(const struct ublksrv_ctrl_dev_info *kernel, bool daemon_alive)
{
	if (kernel->state == UBLK_S_DEV_LIVE)
		return UBLKPOL_LIVE;
	if (daemon_alive)
		return UBLKPOL_STARTING;
	if (kernel->state == UBLK_S_DEV_QUIESCED)
		return UBLKPOL_WAITING;
	return kernel->state == UBLK_S_DEV_FAIL_IO ? UBLKPOL_FAILING : UBLKPOL_DEAD;
}

/*
 * The driver knows them as well, but does not answer while it waits for the last
 * request of an old policy, which may take as long as a backend likes.
 */
static void add_limits(struct ublkpol_info *info)
{
	char node[32];
	struct stat st;

	snprintf(node, sizeof(node), UBLKPOL_NODE, info->id);
	if (stat(node, &st) || !S_ISBLK(st.st_mode))
		return;
	info->max_request = disk_attribute(st.st_rdev, "max_hw_sectors_kb") << 10;
	info->memory_align = (unsigned int)disk_attribute(st.st_rdev, "dma_alignment") + 1;
	info->max_discard = disk_attribute(st.st_rdev, "discard_max_hw_bytes");
	info->max_write_zeroes = disk_attribute(st.st_rdev, "write_zeroes_max_bytes");
}

int list_lookup(struct ublk_control *control, int id, struct ublkpol_info *info)
{
	struct ublksrv_ctrl_dev_info kernel = { 0 };
	int ret, state_ret;

	swap_settle(id);
	state_ret = state_load(id, info);
	ret = control->fd < 0 ? -ENODEV : ublk_control_get_info(control, id, &kernel);

	if (ret == -ENODEV) {
		info->status = UBLKPOL_STALE;
		ret = state_ret == -ENOENT && !info->daemon_alive ? -ENODEV : 0;
	} else if (ret == -EINVAL || ret == -EACCES || (!ret && !(kernel.flags & UBLK_F_BPF))) {
		/* A device of an unprivileged server says only EINVAL or EACCES */
		ret = -EPERM;
	} else if (!ret) {
		info->queues = kernel.nr_hw_queues;
		info->depth = kernel.queue_depth;
		info->status = status_of(&kernel, info->daemon_alive);
		add_limits(info);
	}
	if (ret)
		state_free_info(info);
	return ret;
}

int list_find(struct ublk_control *control, int id, struct ublkpol_info *info,
	      struct ublkpol_error *err)
{
	int ret = list_lookup(control, id, info);

	switch (ret) {
	case 0:
		return 0;
	case -ENODEV:
		return error_set(err, UBLKPOL_ERR_NO_DEVICE, ret, "there is no policy device %d",
				 id);
	case -EPERM:
		return error_set(
			err, UBLKPOL_ERR_NO_DEVICE, ret,
			"ublk device %d is not a policy device: use the tool that added it", id);
	default:
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "cannot ask the ublk driver about device %d: %s", id,
				 strerror(-ret));
	}
}

static int lookup_all(struct ublk_control *control, const struct id_list *ids,
		      struct ublkpol_info *list, size_t *count, struct ublkpol_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < ids->count; i++) {
		ret = list_lookup(control, ids->ids[i], &list[*count]);
		/* Another server's, or gone since the folder was read */
		if (ret == -EPERM || ret == -ENODEV)
			continue;
		if (ret)
			return error_set(err, UBLKPOL_ERR_FAILED, ret,
					 "cannot ask the ublk driver about device %d: %s",
					 ids->ids[i], strerror(-ret));
		(*count)++;
	}
	return 0;
}

int list_open_control(struct ublk_control *control, struct ublkpol_error *err)
{
	struct ublkpol_error reason = { 0 };
	int ret;

	ret = ublk_control_open(control, &reason);
	if (!ret || reason.kind == UBLKPOL_ERR_KERNEL)
		return 0;
	return error_set(err, reason.kind, ret, "%s", reason.text);
}

int ublkpol_list(struct ublkpol_info **list, size_t *count, struct ublkpol_error *err)
{
	struct id_list ids = { 0 };
	struct ublk_control control;
	int ret;

	*list = NULL;
	*count = 0;
	ret = list_open_control(&control, err);
	if (ret)
		return ret;

	ret = add_kernel_ids(&ids);
	if (!ret)
		ret = add_state_ids(&ids);
	if (ret) {
		error_set(err, UBLKPOL_ERR_FAILED, ret, "cannot list devices: %s", strerror(-ret));
		goto out;
	}
	if (!ids.count)
		goto out;

	qsort(ids.ids, ids.count, sizeof(*ids.ids), compare_ids);
	*list = calloc(ids.count, sizeof(**list));
	if (!*list) {
		ret = error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM, "out of memory");
		goto out;
	}
	ret = lookup_all(&control, &ids, *list, count, err);
	if (ret) {
		ublkpol_list_free(*list, *count);
		*list = NULL;
		*count = 0;
	}
out:
	free(ids.ids);
	ublk_control_close(&control);
	return ret;
}

void ublkpol_list_free(struct ublkpol_info *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		state_free_info(&list[i]);
	free(list);
}
