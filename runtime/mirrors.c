// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
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
			 strerror(-code));
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

/* A policy without mirrors has no map: that is no error */
static int read_pinned(const struct ublkpol_info *info, struct ublkpol_mirror **mirrors)
{
	int fd = pins_open(info->id, info->generation, UBLKPOL_MIRRORS_MAP), nr;

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

/* Slots of @gen whose file is stale in one of the mirrors of the device */
static __u64 stale_slots(const struct generation *gen, const struct ublkpol_mirror *mirrors, int nr)
{
	__u64 failed = 0, stale = 0;
	unsigned int b;
	int i;

	for (i = 0; i < nr; i++)
		failed |= mirrors[i].failed;
	for (b = 0; b < gen->nr_backends; b++) {
		if (gen->backends[b].keep >= 0 && failed & (1ULL << gen->backends[b].keep))
			stale |= 1ULL << b;
	}
	return stale;
}

/* The program may be running, and note failures of its own */
static int mark_stale(int fd, __u64 stale)
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
	for (i = 0; i < nr; i++)
		__atomic_fetch_or(&mirrors[i].failed, stale & mirrors[i].legs, __ATOMIC_RELAXED);
	munmap(mirrors, size);
	return 0;
}

int mirrors_inherit(const struct generation *gen, const struct ublkpol_info *device,
		    struct ublkpol_error *err)
{
	int fd = policy_object_map_fd(gen->policy, UBLKPOL_MIRRORS_MAP), nr, ret = 0;
	struct ublkpol_mirror *mirrors;
	__u64 stale;

	if (fd < 0)
		return 0;
	nr = read_pinned(device, &mirrors);
	if (nr < 0)
		return mirrors_error(device->id, nr, err);
	stale = stale_slots(gen, mirrors, nr);
	if (stale)
		ret = mark_stale(fd, stale);
	free(mirrors);
	return ret ? mirrors_error(device->id, ret, err) : 0;
}
