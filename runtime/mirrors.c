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
			 code == -ENXIO ? "its maps in " UBLKPOL_PIN_DIR " are gone"
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
		return -ENXIO;
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

int mirrors_given_up(const struct ublkpol_info *info, __u64 *slots, struct ublkpol_error *err)
{
	struct ublkpol_mirror *mirrors;
	__u64 failed = 0, good = 0;
	int nr, i;

	nr = read_pinned(info, &mirrors);
	if (nr < 0)
		return mirrors_error(info->id, nr, err);
	for (i = 0; i < nr; i++) {
		failed |= mirrors[i].failed;
		good |= mirrors[i].legs & ~mirrors[i].failed;
	}
	free(mirrors);
	*slots = failed & ~good;
	return 0;
}

/* --- for another generation --- */

/* What is known of backends, one bit for the slot of each */
struct stale {
	__u64 slots; /* have missed writes */
	struct ublkpol_mirror *mirrors; /* which of them in which mirror */
	int nr_mirrors;
};

static int read_stale(const struct ublkpol_info *from, struct stale *stale)
{
	unsigned int b;
	int i;

	*stale = (struct stale){ 0 };
	stale->nr_mirrors = read_pinned(from, &stale->mirrors);
	if (stale->nr_mirrors < 0)
		return stale->nr_mirrors;
	for (i = 0; i < stale->nr_mirrors; i++)
		stale->slots |= stale->mirrors[i].failed;
	for (b = 0; b < from->nr_backends; b++)
		stale->slots |= (__u64)from->backends[b].stale << b;
	return 0;
}

static bool is_same(const struct ublkpol_backend_info *a, const struct ublkpol_backend_info *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->disk_sequence == b->disk_sequence;
}

/* The slot of @backend in @info, or -1 */
static int find_same(const struct ublkpol_info *info, const struct ublkpol_backend_info *backend)
{
	unsigned int b;

	for (b = 0; b < info->nr_backends; b++) {
		if (is_same(&info->backends[b], backend))
			return (int)b;
	}
	return -1;
}

/* The slots that @to has for those backends that both have; others hold what the user put there */
static __u64 slots_in(const struct ublkpol_info *to, const struct ublkpol_info *from, __u64 slots)
{
	unsigned int t;
	__u64 found = 0;

	for (t = 0; t < to->nr_backends; t++) {
		int f = find_same(from, &to->backends[t]);

		if (f >= 0 && slots & (1ULL << f))
			found |= 1ULL << t;
	}
	return found;
}

/* Slots of @to whose backends @from has under the same name */
static __u64 slots_as_before(const struct ublkpol_info *to, const struct ublkpol_info *from)
{
	unsigned int t;
	__u64 found = 0;

	for (t = 0; t < to->nr_backends; t++) {
		int f = find_same(from, &to->backends[t]);

		if (f >= 0 && !strcmp(to->backends[t].name, from->backends[f].name))
			found |= 1ULL << t;
	}
	return found;
}

static void use_slots_of(const struct ublkpol_info *to, const struct ublkpol_info *from,
			 struct stale *stale)
{
	__u64 as_before = slots_as_before(to, from);
	int i;

	stale->slots = slots_in(to, from, stale->slots);
	for (i = 0; i < stale->nr_mirrors; i++) {
		struct ublkpol_mirror *mirror = &stale->mirrors[i];
		__u64 legs = slots_in(to, from, mirror->legs);

		/* With other legs, or legs in other roles, it is another mirror */
		if (__builtin_popcountll(legs & as_before) != __builtin_popcountll(mirror->legs))
			legs = 0;
		mirror->legs = legs;
		mirror->failed = slots_in(to, from, mirror->failed);
	}
}

/* As in the program: the last leg is kept. It may be running, and note failures of its own */
static void fail_legs(struct ublkpol_mirror *mirror, __u64 legs)
{
	__u64 failed = __atomic_load_n(&mirror->failed, __ATOMIC_RELAXED);

	while (mirror->legs & ~(failed | legs) &&
	       !__atomic_compare_exchange_n(&mirror->failed, &failed, failed | legs, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

/* What was known of the mirror of these legs. Its number follows from the order of the rules. */
static const struct ublkpol_mirror *find_mirror(const struct stale *stale, __u64 legs)
{
	int i;

	for (i = 0; i < stale->nr_mirrors; i++) {
		if (stale->mirrors[i].legs == legs)
			return &stale->mirrors[i];
	}
	return NULL;
}

/*
 * A backend that is stale is not read in any mirror, unless that leaves a mirror nothing:
 * two mirrors that share a leg can have failed the two legs of a third one. Then
 * only what this mirror itself had failed counts.
 */
static void mark_mirror(struct ublkpol_mirror *mirror, const struct stale *stale,
			struct mirrors_news *news)
{
	const struct ublkpol_mirror *own = find_mirror(stale, mirror->legs);
	__u64 legs = stale->slots & mirror->legs;

	if (legs == mirror->legs) {
		if (!own || own->failed == own->legs) {
			news->hopeless |= legs;
			return;
		}
		news->doubtful |= legs & ~own->failed;
		legs = own->failed;
	}
	fail_legs(mirror, legs);
}

static int mark_mirrors(int fd, const struct stale *stale, struct mirrors_news *news)
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
		mark_mirror(&mirrors[i], stale, news);
	munmap(mirrors, size);
	return 0;
}

static int mark_pinned(const struct ublkpol_info *to, const struct stale *stale,
		       struct mirrors_news *news)
{
	int fd = open_pinned(to), ret;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = mark_mirrors(fd, stale, news);
	close(fd);
	return ret;
}

/* Return: has a backend become stale? */
static bool mark_backends(struct ublkpol_info *to, __u64 slots)
{
	bool any = false;
	unsigned int b;

	for (b = 0; b < to->nr_backends; b++) {
		if (!(slots & (1ULL << b)))
			continue;
		any |= !to->backends[b].stale;
		to->backends[b].stale = true;
	}
	return any;
}

int mirrors_keep(struct ublkpol_info *to, const struct ublkpol_info *from,
		 struct ublkpol_error *err)
{
	struct stale stale;
	int ret;

	ret = read_stale(from, &stale);
	if (ret)
		return mirrors_error(from->id, ret, err);
	mark_backends(to, slots_in(to, from, stale.slots));
	free(stale.mirrors);
	return 0;
}

int mirrors_inherit(struct ublkpol_info *to, const struct ublkpol_info *from,
		    struct mirrors_news *news, struct ublkpol_error *err)
{
	struct stale stale;
	int ret;

	*news = (struct mirrors_news){ .kept = slots_in(to, from, ~0ULL) };
	ret = read_stale(from, &stale);
	if (ret)
		return mirrors_error(from->id, ret, err);
	use_slots_of(to, from, &stale);
	news->stale = stale.slots;
	if (stale.slots)
		ret = mark_pinned(to, &stale, news);
	if (ret)
		mirrors_error(to->id, ret, err);
	else
		news->any = mark_backends(to, stale.slots);
	free(stale.mirrors);
	return ret;
}
