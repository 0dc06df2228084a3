// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <bpf/bpf.h>

#include "mirrors.h"
#include "pins.h"

static int mirrors_error(int id, int code, struct ublkpol_error *err)
{
	return error_set(err, UBLKPOL_ERR_FAILED, code,
			 "cannot read the state of the mirrors of device %d: %s", id,
			 code == -ESTALE ? "its maps in " UBLKPOL_PIN_DIR " are gone"
					 : strerror(-code));
}

/* Entries of the map, or a negative errno */
static int map_entries(int fd)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	return info.value_size == sizeof(struct ublkpol_mirror) ? (int)info.max_entries : -EINVAL;
}

/* @mirrors: set to an array to be freed. Return: its length, or a negative errno */
static int read_map(int fd, struct ublkpol_mirror **mirrors)
{
	int nr = map_entries(fd);
	__u32 i;

	if (nr < 0)
		return nr;
	*mirrors = calloc((size_t)nr + 1, sizeof(**mirrors));
	if (!*mirrors)
		return -ENOMEM;
	for (i = 0; i < (__u32)nr; i++) {
		if (bpf_map_lookup_elem(fd, &i, &(*mirrors)[i])) {
			free(*mirrors);
			*mirrors = NULL;
			return -errno;
		}
	}
	return nr;
}

/* A policy without mirrors has no map: that is no error, where others of it are */
static int open_pinned(const struct ublkpol_info *info)
{
	int fd = pins_open(info->id, info->generation, UBLKPOL_MIRRORS_MAP);
	char folder[PATH_MAX];

	if (fd == -ENOENT && access(pins_folder(folder, info->id, info->generation), F_OK))
		return -ESTALE;
	return fd;
}

static int read_pinned(const struct ublkpol_info *info, struct ublkpol_mirror **mirrors)
{
	int fd = open_pinned(info), nr;

	*mirrors = NULL;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	nr = read_map(fd, mirrors);
	close(fd);
	return nr;
}

/* --- for users --- */

static int describe(const struct ublkpol_mirror *mirror, unsigned int nr_backends,
		    struct ublkpol_mirror_info *info)
{
	unsigned int b;

	info->legs = calloc(nr_backends + 1, sizeof(*info->legs));
	if (!info->legs)
		return -ENOMEM;
	for (b = 0; b < nr_backends && b < 64; b++) {
		if (!(mirror->legs & (1ULL << b)))
			continue;
		info->legs[info->nr_legs++] = (struct ublkpol_mirror_leg){
			.backend = b,
			.failed = mirror->failed & (1ULL << b),
			.read_errors = mirror->read_errors[b],
			.write_errors = mirror->write_errors[b],
		};
	}
	return 0;
}

int mirrors_read(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		 struct ublkpol_error *err)
{
	struct ublkpol_mirror *entries;
	int nr, i, ret = 0;

	nr = read_pinned(info, &entries);
	if (nr < 0)
		return mirrors_error(info->id, nr, err);
	stats->mirrors = calloc((size_t)nr + 1, sizeof(*stats->mirrors));
	if (!stats->mirrors)
		ret = -ENOMEM;
	for (i = 0; !ret && i < nr; i++) {
		ret = describe(&entries[i], info->nr_backends, &stats->mirrors[i]);
		stats->nr_mirrors = (unsigned int)i + 1;
	}
	free(entries);
	return ret ? mirrors_error(info->id, ret, err) : 0;
}

void mirrors_free(struct ublkpol_stats *stats)
{
	unsigned int i;

	for (i = 0; i < stats->nr_mirrors; i++)
		free(stats->mirrors[i].legs);
	free(stats->mirrors);
}

/* --- for another generation --- */

/* Backends of @from that have missed writes, one bit each */
static int read_stale(const struct ublkpol_info *from, __u64 *stale)
{
	struct ublkpol_mirror *mirrors;
	int nr = read_pinned(from, &mirrors), i;
	unsigned int b;

	if (nr < 0)
		return nr;
	*stale = 0;
	for (i = 0; i < nr; i++)
		*stale |= mirrors[i].failed;
	free(mirrors);
	for (b = 0; b < from->nr_backends; b++)
		*stale |= (__u64)from->backends[b].stale << b;
	return 0;
}

static bool is_same(const struct ublkpol_backend_info *a, const struct ublkpol_backend_info *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->disk_sequence == b->disk_sequence;
}

/* The same ones where @to has them; others hold whatever the user put there */
static __u64 stale_slots(const struct ublkpol_info *to, const struct ublkpol_info *from,
			 __u64 stale)
{
	unsigned int t, f;
	__u64 slots = 0;

	for (t = 0; t < to->nr_backends; t++) {
		for (f = 0; f < from->nr_backends; f++) {
			if (stale & (1ULL << f) && is_same(&to->backends[t], &from->backends[f]))
				slots |= 1ULL << t;
		}
	}
	return slots;
}

/* The program may be running, and note failures of its own. @legs: slots in any mirror */
static int mark_stale(int fd, __u64 stale, __u64 *legs)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), size;
	struct ublkpol_mirror *mirrors;
	int nr = map_entries(fd), i;

	if (nr < 0)
		return nr;
	size = ((size_t)nr * sizeof(*mirrors) + page - 1) / page * page;
	mirrors = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mirrors == MAP_FAILED)
		return -errno;
	for (i = 0; i < nr; i++) {
		__atomic_fetch_or(&mirrors[i].failed, stale & mirrors[i].legs, __ATOMIC_RELAXED);
		*legs |= mirrors[i].legs;
	}
	munmap(mirrors, size);
	return 0;
}

int mirrors_inherit(struct ublkpol_info *to, const struct ublkpol_info *from,
		    struct mirrors_news *news, struct ublkpol_error *err)
{
	__u64 stale = 0, slots, legs = 0;
	unsigned int b;
	int fd, ret;

	*news = (struct mirrors_news){ 0 };
	ret = read_stale(from, &stale);
	if (ret)
		return mirrors_error(from->id, ret, err);
	slots = stale_slots(to, from, stale);
	if (!slots)
		return 0;
	fd = open_pinned(to);
	if (fd >= 0) {
		ret = mark_stale(fd, slots, &legs);
		close(fd);
	} else if (fd != -ENOENT) {
		ret = fd;
	}
	if (ret)
		return mirrors_error(to->id, ret, err);
	for (b = 0; b < to->nr_backends; b++) {
		if (!(slots & (1ULL << b)))
			continue;
		news->any |= !to->backends[b].stale;
		to->backends[b].stale = true;
	}
	news->no_legs = slots & ~legs;
	return 0;
}
