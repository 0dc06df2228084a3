/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_DISK_ATTRIBUTE_H
#define RUNTIME_DISK_ATTRIBUTE_H

#include <sys/types.h>
#include <linux/types.h>

/**
 * disk_attribute() - a number that the kernel tells of a disk
 * @dev: a block device; of a partition, those of its disk
 * @name: of a file in /sys/block/DISK/queue; see
 *	  Documentation/ABI/stable/sysfs-block of the kernel
 *
 * Return: the number, or 0 without such a device or file
 */
__u64 disk_attribute(dev_t dev, const char *name);

#endif
