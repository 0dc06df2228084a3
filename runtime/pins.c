// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <bpf/bpf.h>
#include <linux/magic.h>

#include "pins.h"

static const char *pins_root = UBLKPOL_PIN_DIR;

void pins_set_root(const char *root)
{
	pins_root = root;
}

static const char *device_folder(char path[PATH_MAX], int id)
{
	snprintf(path, PATH_MAX, "%s/%d", pins_root, id);
	return path;
}

const char *pins_folder(char path[PATH_MAX], int id, unsigned int generation)
{
	snprintf(path, PATH_MAX, "%s/%d/%u", pins_root, id, generation);
	return path;
}

static int pins_error(const char *path, int code, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code, "cannot make %s, to keep BPF maps in: %s",
			 path, strerror(-code));
}

static int mount_if_missing(struct ublkpol_error *err)
{
	char parent[PATH_MAX];
	struct statfs fs;
	char *slash;

	snprintf(parent, sizeof(parent), "%s", pins_root);
	slash = strrchr(parent, '/');
	if (slash)
		*slash = '\0';
	if (!statfs(parent, &fs) && fs.f_type == BPF_FS_MAGIC)
		return 0;
	if (mount("bpf", parent, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME,
		  "mode=0700"))
		return error_set(err, UBLKPOL_ERR_FAILED, -errno,
				 "cannot mount a bpf file system on %s: %s", parent,
				 strerror(errno));
	return 0;
}

static int make_folder(const char *path, struct ublkpol_error *err)
{
	if (mkdir(path, 0700) && errno != EEXIST)
		return pins_error(path, -errno, err);
	return 0;
}

int pins_create(int id, unsigned int generation, struct ublkpol_error *err)
{
	char path[PATH_MAX];
	int ret;

	ret = mount_if_missing(err);
	if (ret)
		return ret;
	pins_remove(id, generation);
	ret = make_folder(pins_root, err);
	if (!ret)
		ret = make_folder(device_folder(path, id), err);
	if (!ret)
		ret = make_folder(pins_folder(path, id, generation), err);
	return ret;
}

/* Deletes what is in @folder, and what is in folders there */
static void remove_folder(const char *folder)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir = opendir(folder);

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >=
		    sizeof(path))
			continue;
		if (unlink(path) && (errno == EISDIR || errno == EPERM))
			remove_folder(path);
	}
	closedir(dir);
	rmdir(folder);
}

void pins_remove(int id, unsigned int generation)
{
	char path[PATH_MAX];

	remove_folder(pins_folder(path, id, generation));
}

void pins_remove_device(int id)
{
	char path[PATH_MAX];

	remove_folder(device_folder(path, id));
}

int pins_open(int id, unsigned int generation, const char *map)
{
	char folder[PATH_MAX], path[PATH_MAX];
	int fd;

	pins_folder(folder, id, generation);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, map) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}
