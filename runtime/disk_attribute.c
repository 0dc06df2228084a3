// SPDX-License-Identifier: GPL-2.0-only
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include "disk_attribute.h"

__u64 disk_attribute(dev_t dev, const char *name)
{
	/* A partition has none: the queue belongs to the disk, one folder up */
	static const char *const folders[] = { "queue", "../queue" };
	char path[PATH_MAX];
	uint64_t value = 0;
	FILE *file;
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/%s", major(dev), minor(dev),
			 folders[i], name);
		file = fopen(path, "re");
		if (!file)
			continue;
		if (fscanf(file, "%" SCNu64, &value) != 1)
			value = 0;
		fclose(file);
		break;
	}
	return value;
}
