// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/fs.h>

#include "backend.h"
#include "backend_can.h"

#define SECTOR_SHIFT 9

/* What the block layer guarantees anyway */
#define BACKEND_MIN_ALIGN 4U

/*
 * Alignment that O_DIRECT asks for where the kernel does not tell: every
 * driver and file system takes a sector.
 */
#define DIRECT_FALLBACK_ALIGN 512U

/* What a device had open is closed a moment after it and its server are gone */
#define BACKEND_BUSY_WAIT_MS 1000
#define BACKEND_BUSY_POLL_MS 20

/* Larger blocks of a file system say nothing about its device */
#define MAX_FILE_PHYSICAL_BLOCK 4096U

static unsigned int max_uint(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

static bool is_power_of_two(unsigned int n)
{
	return n && !(n & (n - 1));
}

static int refuse(const struct backend *b, int code, const char *why, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_INPUT, code, "backend %s: %s %s", b->name, b->path, why);
}

static int explain_open(const struct backend *b, int code, struct ublkpol_error *err)
{
	switch (code) {
	case -EBUSY:
		return refuse(b, code,
			      "is busy (mounted, swap, part of an array or of another policy "
			      "device): release it first",
			      err);
	case -EACCES:
	case -EPERM:
		return refuse(b, code, "cannot be opened for writing: permission denied", err);
	case -EROFS:
		return refuse(b, code, "is read-only", err);
	case -ENXIO:
	case -ENOMEDIUM:
		return refuse(b, code, "has no device or medium behind it", err);
	default:
		return error_set(err, UBLKPOL_ERR_INPUT, code, "backend %s: cannot open %s: %s",
				 b->name, b->path, strerror(-code));
	}
}

static int check_type(const struct backend *b, mode_t mode, struct ublkpol_error *err)
{
	if (S_ISREG(mode) || S_ISBLK(mode))
		return 0;
	if (S_ISDIR(mode))
		return refuse(b, -EISDIR,
			      "is a directory: a backend is a regular file or a block device", err);
	return refuse(b, -EINVAL, "is neither a regular file nor a block device", err);
}

static int open_file(struct backend *b)
{
	/*
	 * O_EXCL without O_CREAT claims a block device, as mount does; one that
	 * is kept is claimed already.
	 */
	int flags = O_RDWR | O_CLOEXEC | O_NOCTTY | (b->is_block && b->keep < 0 ? O_EXCL : 0);

	b->direct = true;
	b->fd = open(b->real_path, flags | O_DIRECT);
	if (b->fd < 0 && errno == EINVAL) {
		b->direct = false;
		b->fd = open(b->real_path, flags);
	}
	return b->fd < 0 ? -errno : 0;
}

/* A file system without locks is no reason to refuse it */
static int try_lock(struct backend *b)
{
	return flock(b->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? -EBUSY : 0;
}

static int while_busy(int (*attempt)(struct backend *b), struct backend *b)
{
	const struct timespec pause = { .tv_nsec = BACKEND_BUSY_POLL_MS * 1000000L };
	int ret, waited;

	for (waited = 0;; waited += BACKEND_BUSY_POLL_MS) {
		ret = attempt(b);
		if (ret != -EBUSY || waited >= BACKEND_BUSY_WAIT_MS)
			return ret;
		nanosleep(&pause, NULL);
	}
}

static int lock_file(struct backend *b, struct ublkpol_error *err)
{
	if (while_busy(try_lock, b))
		return refuse(b, -EBUSY,
			      "is locked by another process, perhaps another policy device "
			      "(see ublkpol list)",
			      err);
	return 0;
}

static int read_block_geometry(struct backend *b, struct ublkpol_error *err)
{
	int logical = 0, read_only = 0;
	unsigned int physical = 0;

	if (ioctl(b->fd, BLKGETSIZE64, &b->size) || ioctl(b->fd, BLKSSZGET, &logical) ||
	    ioctl(b->fd, BLKPBSZGET, &physical) || ioctl(b->fd, BLKROGET, &read_only))
		return error_set(err, UBLKPOL_ERR_INPUT, -errno,
				 "backend %s: cannot read the size of %s: %s", b->name, b->path,
				 strerror(errno));
	/* Opening it for writing was no problem; writing would be */
	if (read_only)
		return refuse(b, -EROFS, "is read-only", err);
	b->block_size = (unsigned int)logical;
	b->physical_block_size = physical;
	return 0;
}

static void read_file_geometry(struct backend *b, const struct statx *stx)
{
	b->size = stx->stx_size;
	b->block_size = BACKEND_MIN_BLOCK;
	b->physical_block_size = BACKEND_MIN_BLOCK;
	if (is_power_of_two(stx->stx_blksize) && stx->stx_blksize <= MAX_FILE_PHYSICAL_BLOCK)
		b->physical_block_size = max_uint(stx->stx_blksize, BACKEND_MIN_BLOCK);
}

static int read_direct_limits(struct backend *b, const struct statx *stx, struct ublkpol_error *err)
{
	unsigned int offset_align = BACKEND_MIN_BLOCK;

	b->memory_align = 1;
	if (!b->direct)
		return 0;

	b->memory_align = DIRECT_FALLBACK_ALIGN;
	if (stx->stx_mask & STATX_DIOALIGN) {
		if (!stx->stx_dio_offset_align) {
			/* The file system took O_DIRECT but not for this file */
			if (fcntl(b->fd, F_SETFL, 0))
				return explain_open(b, -errno, err);
			b->direct = false;
			b->memory_align = 1;
			return 0;
		}
		b->memory_align = stx->stx_dio_mem_align;
		offset_align = stx->stx_dio_offset_align;
	}
	b->block_size = max_uint(b->block_size, offset_align);
	return 0;
}

static int check_geometry(const struct backend *b, struct ublkpol_error *err)
{
	unsigned int page = (unsigned int)sysconf(_SC_PAGESIZE);

	if (!is_power_of_two(b->block_size) || !is_power_of_two(b->memory_align) ||
	    b->block_size > page || b->memory_align > page)
		return error_set(
			err, UBLKPOL_ERR_INPUT, -EINVAL,
			"backend %s: %s needs blocks of %u bytes and buffers aligned to %u "
			"bytes: ublk can promise at most %u",
			b->name, b->path, b->block_size, b->memory_align, page);
	if (b->size < b->block_size)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "backend %s: %s holds %llu bytes, less than one block of %u%s",
				 b->name, b->path, (unsigned long long)b->size, b->block_size,
				 b->is_block ? "" : ": give it a size with truncate -s");
	return 0;
}

static int another_file(const struct backend *b, struct ublkpol_error *err)
{
	return refuse(b, -ESTALE,
		      "is not what the device has there, but another file or disk: put that one "
		      "back; 'ublkpol swap --backend' changes the backend of a live device",
		      err);
}

static int identify(struct backend *b, struct ublkpol_error *err)
{
	struct stat st;
	int ret;

	b->real_path = realpath(b->path, NULL);
	if (!b->real_path || stat(b->real_path, &st))
		return explain_open(b, -errno, err);
	ret = check_type(b, st.st_mode, err);
	if (ret)
		return ret;

	b->is_block = S_ISBLK(st.st_mode);
	b->dev = b->is_block ? st.st_rdev : st.st_dev;
	b->ino = b->is_block ? 0 : st.st_ino;
	if (b->expected && !b->moved && (b->expected->dev != b->dev || b->expected->ino != b->ino))
		return another_file(b, err);
	return 0;
}

/* Block devices are given the numbers of those that are gone */
static int check_disk_sequence(struct backend *b, struct ublkpol_error *err)
{
	b->disk_sequence = 0;
	if (b->is_block && ioctl(b->fd, BLKGETDISKSEQ, &b->disk_sequence))
		b->disk_sequence = 0;
	if (b->expected && !b->moved && b->expected->disk_sequence != b->disk_sequence)
		return another_file(b, err);
	return 0;
}

static int keep_size(struct backend *b, struct ublkpol_error *err)
{
	if (!b->expected)
		return 0;
	if (b->size < b->expected->size)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "backend %s: %s holds %llu bytes, and had %llu when the device "
				 "got it: make it as large again",
				 b->name, b->path, (unsigned long long)b->size,
				 (unsigned long long)b->expected->size);
	b->size = b->expected->size;
	return 0;
}

static bool still_the_same(const struct backend *b, const struct statx *stx)
{
	if (b->is_block)
		return S_ISBLK(stx->stx_mode) &&
		       b->dev == makedev(stx->stx_rdev_major, stx->stx_rdev_minor);
	return S_ISREG(stx->stx_mode) && b->ino == stx->stx_ino &&
	       b->dev == makedev(stx->stx_dev_major, stx->stx_dev_minor);
}

static int open_identified(struct backend *b, struct ublkpol_error *err)
{
	struct statx stx = { 0 };
	int ret;

	ret = while_busy(open_file, b);
	if (ret)
		return explain_open(b, ret, err);
	if (statx(b->fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_DIOALIGN, &stx))
		return explain_open(b, -errno, err);
	if (!still_the_same(b, &stx))
		return refuse(b, -EAGAIN, "was replaced while it was opened", err);

	if (b->is_block) {
		ret = read_block_geometry(b, err);
	} else {
		ret = b->keep < 0 ? lock_file(b, err) : 0;
		read_file_geometry(b, &stx);
	}
	if (!ret)
		ret = read_direct_limits(b, &stx, err);
	if (!ret)
		ret = check_geometry(b, err);
	if (!ret)
		ret = check_disk_sequence(b, err);
	if (!ret)
		ret = keep_size(b, err);
	return ret;
}

static void find_in_device(struct backend *b, const struct ublkpol_info *live)
{
	unsigned int i;

	for (i = 0; live && i < live->nr_backends; i++) {
		if (live->backends[i].dev == b->dev && live->backends[i].ino == b->ino)
			b->keep = (int)i;
	}
}

/* The device uses the file: it cannot be tried out, and it stays open there */
static void keep_open_in_device(struct backend *b, const struct ublkpol_info *live)
{
	b->can = live->backends[b->keep].can;
	b->discard_granularity = backend_discard_granularity(b);
	close(b->fd);
	b->fd = -1;
}

/* Two LBAs would share a byte, which no check of the policy can see */
static int check_distinct(const struct backend *backends, unsigned int last,
			  struct ublkpol_error *err)
{
	const struct backend *b = &backends[last];
	unsigned int i;

	for (i = 0; i < last; i++) {
		const struct backend *a = &backends[i];

		if (!a->missing && a->is_block == b->is_block && a->dev == b->dev &&
		    a->ino == b->ino)
			return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
					 "backends %s and %s are both %s: give each its own file "
					 "or device",
					 a->name, b->name, b->real_path);
	}
	return 0;
}

static int open_present(struct backend *backends, unsigned int i, const struct ublkpol_info *live,
			struct ublkpol_error *err)
{
	int ret;

	/* Opening one file twice would only say that it is locked */
	ret = identify(&backends[i], err);
	if (!ret)
		ret = check_distinct(backends, i, err);
	if (ret)
		return ret;
	find_in_device(&backends[i], live);
	ret = open_identified(&backends[i], err);
	if (ret)
		return ret;
	if (backends[i].keep >= 0)
		keep_open_in_device(&backends[i], live);
	else
		backend_probe_can(&backends[i]);
	return 0;
}

/* --- what is missing --- */

bool backend_path_is_missing(const char *path)
{
	return !strcmp(path, UBLKPOL_MISSING);
}

/* If a request came to it after all, it would fail: writes for the seals, reads for the mode */
static int open_placeholder(void)
{
	int fd = memfd_create(UBLKPOL_MISSING, MFD_CLOEXEC | MFD_ALLOW_SEALING), write_only = -1;
	char path[64];

	if (fd < 0)
		return -1;
	if (!fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		write_only = open(path, O_WRONLY | O_CLOEXEC);
	}
	close(fd);
	return write_only;
}

static int take_as_missing(struct backend *b, struct ublkpol_error *err)
{
	if (!b->is_leg)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "backend %s: only a leg of a mirror can be missing, and the "
				 "policy uses it by itself, too",
				 b->name);
	if (b->fd >= 0)
		close(b->fd);
	free(b->real_path);
	*b = (struct backend){
		.name = b->name,
		.path = b->path,
		.is_leg = true,
		.missing = true,
		.problem = b->problem,
		.real_path = strdup(UBLKPOL_MISSING),
		.fd = open_placeholder(),
		.keep = -1,
		.block_size = BACKEND_MIN_BLOCK,
		.physical_block_size = BACKEND_MIN_BLOCK,
		.memory_align = 1,
		.can = UBLKPOL_CAN_DISCARD | UBLKPOL_CAN_WRITE_ZEROES,
	};
	if (b->fd >= 0 && b->real_path)
		return 0;
	return error_set(err, UBLKPOL_ERR_FAILED, -ENOMEM,
			 "backend %s: cannot make a file for what is missing", b->name);
}

/* An error that says that the disk may be gone, and not that something else is wrong with it */
static bool may_be_gone(int code)
{
	return code == -ENOENT || code == -ENODEV || code == -ENXIO || code == -ENOMEDIUM ||
	       code == -EIO || code == -ESTALE;
}

static int do_without(struct backend *b, int code, const struct ublkpol_error *why,
		      struct ublkpol_error *err)
{
	if (b->given_up && may_be_gone(code)) {
		b->problem = strdup(why->text);
		return take_as_missing(b, err);
	}
	if (may_be_gone(code))
		return error_set(err, why->kind, code,
				 "%s (ublkpol add, swap and recover do without it if they get "
				 "--backend %s=" UBLKPOL_MISSING ")",
				 why->text, b->name);
	return error_set(err, why->kind, code, "%s", why->text);
}

static int open_backend(struct backend *backends, unsigned int i, const struct ublkpol_info *live,
			struct ublkpol_error *err)
{
	struct backend *b = &backends[i];
	struct ublkpol_error why = { 0 };
	int ret;

	if (backend_path_is_missing(b->path))
		return take_as_missing(b, err);
	if (!b->is_leg)
		return open_present(backends, i, live, err);
	ret = open_present(backends, i, live, &why);
	return ret ? do_without(b, ret, &why, err) : 0;
}

/* So that it is never the smallest: the good legs decide */
static int size_missing(struct backend *backends, unsigned int count, struct ublkpol_error *err)
{
	__u64 largest = 0;
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (backends[i].size > largest)
			largest = backends[i].size;
	}
	if (count && !largest)
		return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
				 "all backends are missing: at least one has to be there");
	for (i = 0; i < count; i++) {
		if (backends[i].missing)
			backends[i].size = largest;
	}
	return 0;
}

int backends_open(struct backend *backends, unsigned int count, const struct ublkpol_info *live,
		  struct ublkpol_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++) {
		backends[i].real_path = NULL;
		backends[i].problem = NULL;
		backends[i].missing = false;
		backends[i].size = 0;
		backends[i].fd = -1;
		backends[i].keep = -1;
	}
	for (i = 0; i < count; i++) {
		ret = open_backend(backends, i, live, err);
		if (ret)
			return ret;
	}
	return size_missing(backends, count, err);
}

void backends_release(struct backend *backends, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		if (backends[i].fd >= 0)
			close(backends[i].fd);
		backends[i].fd = -1;
	}
}

void backends_close(struct backend *backends, unsigned int count)
{
	unsigned int i;

	backends_release(backends, count);
	for (i = 0; i < count; i++) {
		free(backends[i].real_path);
		backends[i].real_path = NULL;
		free(backends[i].problem);
		backends[i].problem = NULL;
	}
}

struct backend_limits backends_limits(const struct backend *backends, unsigned int count)
{
	struct backend_limits limits = {
		.block_size = BACKEND_MIN_BLOCK,
		.physical_block_size = BACKEND_MIN_BLOCK,
		.memory_align = BACKEND_MIN_ALIGN,
	};
	unsigned int i;

	for (i = 0; i < count; i++) {
		limits.block_size = max_uint(limits.block_size, backends[i].block_size);
		limits.physical_block_size =
			max_uint(limits.physical_block_size, backends[i].physical_block_size);
		limits.memory_align = max_uint(limits.memory_align, backends[i].memory_align);
	}
	limits.physical_block_size = max_uint(limits.physical_block_size, limits.block_size);
	return limits;
}

__u64 backend_sectors(const struct backend *backend, unsigned int block_size)
{
	return (backend->size & ~((__u64)block_size - 1)) >> SECTOR_SHIFT;
}
