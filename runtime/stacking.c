// SPDX-License-Identifier: GPL-2.0-only
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stacking.h"
#include "state.h"

/* Deeper than any sane stack, and it ends a loop that is there already */
#define STACKING_MAX_DEPTH 32

static bool disk_stands_on(const char *folder, int id, unsigned int depth);

/* The device a file system is on; btrfs and the like hide it behind a number of their own */
static bool mount_source(dev_t fs, struct stat *source)
{
	char line[PATH_MAX * 2], device[PATH_MAX];
	unsigned int major_nr, minor_nr;
	bool found = false;
	FILE *mounts;

	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return false;
	while (!found && fgets(line, sizeof(line), mounts)) {
		const char *tail = strstr(line, " - ");

		if (!tail || sscanf(line, "%*d %*d %u:%u", &major_nr, &minor_nr) != 2 ||
		    makedev(major_nr, minor_nr) != fs || sscanf(tail, " - %*s %4095s", device) != 1)
			continue;
		found = !stat(device, source) && S_ISBLK(source->st_mode);
	}
	fclose(mounts);
	return found;
}

static bool device_stands_on(dev_t dev, int id, unsigned int depth)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	return disk_stands_on(path, id, depth);
}

static bool file_stands_on(const char *path, int id, unsigned int depth)
{
	struct stat st, source;

	if (stat(path, &st))
		return false;
	if (S_ISBLK(st.st_mode))
		return device_stands_on(st.st_rdev, id, depth);
	if (major(st.st_dev))
		return device_stands_on(st.st_dev, id, depth);
	return mount_source(st.st_dev, &source) && device_stands_on(source.st_rdev, id, depth);
}

static bool slaves_stand_on(const char *folder, int id, unsigned int depth)
{
	char path[PATH_MAX], slave[PATH_MAX];
	struct dirent *entry;
	bool found = false;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/slaves", folder);
	dir = opendir(path);
	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || (size_t)snprintf(slave, sizeof(slave), "%s/%s", path,
								entry->d_name) >= sizeof(slave))
			continue;
		found = disk_stands_on(slave, id, depth);
	}
	closedir(dir);
	return found;
}

static bool loop_stands_on(const char *folder, int id, unsigned int depth)
{
	char path[PATH_MAX], backing[PATH_MAX];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/loop/backing_file", folder);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fgets(backing, sizeof(backing), file)) {
		backing[strcspn(backing, "\n")] = '\0';
		found = file_stands_on(backing, id, depth);
	}
	fclose(file);
	return found;
}

static bool generation_stands_on(const struct ublkpol_info *info, int id, unsigned int depth)
{
	bool found = false;
	unsigned int i;

	for (i = 0; !found && i < info->nr_backends; i++)
		found = !backend_path_is_missing(info->backends[i].path) &&
			file_stands_on(info->backends[i].path, id, depth);
	return found;
}

/* On what it has, or on what a swap is about to give it */
static bool policy_stands_on(int other, int id, unsigned int depth)
{
	struct ublkpol_info info;
	bool found;

	found = !state_load(other, &info) && generation_stands_on(&info, id, depth);
	state_free_info(&info);
	if (found)
		return true;
	found = !state_load_next(other, &info) && generation_stands_on(&info, id, depth);
	state_free_info(&info);
	return found;
}

/* @folder: of a disk or a partition in sysfs, by any path */
static bool disk_stands_on(const char *folder, int id, unsigned int depth)
{
	char path[PATH_MAX], *real, *name;
	bool found = false;
	int other;

	if (!depth)
		return false;
	real = realpath(folder, NULL);
	if (!real)
		return false;
	snprintf(path, sizeof(path), "%s/partition", real);
	if (!access(path, F_OK))
		*strrchr(real, '/') = '\0';

	name = strrchr(real, '/') + 1;
	if (sscanf(name, "ublkb%d", &other) == 1)
		found = other == id || policy_stands_on(other, id, depth - 1);
	if (!found)
		found = slaves_stand_on(real, id, depth - 1) || loop_stands_on(real, id, depth - 1);
	free(real);
	return found;
}

int stacking_check(const struct backend *backend, int id, struct ublkpol_error *err)
{
	if (!file_stands_on(backend->real_path, id, STACKING_MAX_DEPTH))
		return 0;
	return error_set(err, UBLKPOL_ERR_INPUT, -ELOOP,
			 "backend %s: %s is, or stands on, " UBLKPOL_NODE
			 " itself: its requests would wait for themselves",
			 backend->name, backend->path, id);
}
