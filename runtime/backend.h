/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_BACKEND_H
#define RUNTIME_BACKEND_H

/*
 * Backends: the files and block devices that hold the data. They are opened
 * here and handed to the kernel as slots of the device; nothing in this
 * process ever reads or writes them.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <linux/types.h>

#include "error.h"

#define BACKEND_MIN_BLOCK 512U

struct backend {
	const char *name; /* of the policy; not owned */
	const char *path; /* as the user wrote it; not owned */
	/* What the device has under this name, and goes on with, or NULL; not owned */
	const struct ublkpol_backend_info *expected;
	bool moved; /* it may be another file than @expected, but is no larger to the device */
	bool is_leg; /* other legs can stand in for it: the device can do without it */
	bool given_up; /* its mirrors have failed it: nobody needs what it holds */
	bool missing; /* an empty file, which nobody can read or write, has its slot */
	char *problem; /* what kept it from being opened, if @given_up made it missing */
	char *real_path; /* absolute, without symbolic links */
	int fd; /* -1: not open */
	/*
	 * Slot of a live device that has this very file, or -1: the device goes
	 * on with it, and the file is not kept open here.
	 */
	int keep;
	bool is_block;
	bool direct; /* opened with O_DIRECT: the limits below bind */
	dev_t dev; /* identity: a block device's number ... */
	ino_t ino; /* ... and 0, or a file's device and inode */
	__u64 disk_sequence; /* of a block device; 0: a file, or unknown */
	__u64 size; /* bytes; of what is expected, what it had then */
	unsigned int block_size; /* bytes, unit of offset and length */
	unsigned int physical_block_size; /* bytes */
	unsigned int memory_align; /* bytes, of the buffers; power of two */
	unsigned int can; /* UBLKPOL_CAN_* */
	unsigned int discard_granularity; /* bytes */
};

/* What the device has to promise so that every backend can take its requests */
struct backend_limits {
	unsigned int block_size;
	unsigned int physical_block_size;
	unsigned int memory_align;
};

/**
 * backends_open() - open all backends of a device, for this device alone
 * @backends: name, path, expected, moved, is_leg and given_up of each are set by the caller,
 *	      path as the user wrote it; everything else is filled in. To be closed
 *	      with backends_close(), also after a failure
 * @count: how many; they must be distinct files
 * @live: the device that is to go on with these backends, or NULL: what it has
 *	  open already is marked to be kept
 * @err: what is wrong with one of them and what to do
 *
 * Regular files and block devices are taken; symbolic links are followed.
 * Direct I/O if the file system can, else buffered (backend->direct). Block
 * devices are claimed exclusively, files are locked with flock(): a backend
 * that is mounted or serves another policy device is refused. So is another
 * file than the expected one, or that file if it has become smaller; if it has
 * grown, the device does not use the rest: a concat would put all that follows
 * somewhere else. What the user calls UBLKPOL_MISSING, or is given up and gone, is
 * missing: it promises all, so that the others decide.
 */
int backends_open(struct backend *backends, unsigned int count, const struct ublkpol_info *live,
		  struct ublkpol_error *err);

/** backends_release() - close what is open; the rest stays known */
void backends_release(struct backend *backends, unsigned int count);

/** backends_close() - close and free; harmless on what is not open */
void backends_close(struct backend *backends, unsigned int count);

/** backend_path_is_missing() - is this path UBLKPOL_MISSING? */
bool backend_path_is_missing(const char *path);

/** backends_limits() - the strictest limits over all open backends */
struct backend_limits backends_limits(const struct backend *backends, unsigned int count);

/**
 * backend_sectors() - usable size
 * @block_size: of the device, bytes
 *
 * Return: 512-byte sectors, whole blocks only
 */
__u64 backend_sectors(const struct backend *backend, unsigned int block_size);

#endif
