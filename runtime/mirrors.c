// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <bpf/bpf.h>

#include "backend.h"
#include "mirrors.h"
#include "pins.h"
#include "policy_image.h"
#include "state.h"

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
			.in_sync = !((mirror->failed | mirror->unsynced) & (1ULL << b)),
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

int mirrors_written_alone(const struct ublkpol_info *info, __u64 *slots, struct ublkpol_error *err)
{
	struct policy_image image;
	size_t size;
	void *data;
	__u32 i;
	int ret;

	*slots = 0;
	ret = state_load_image(info->id, info->generation, &data, &size);
	if (ret)
		return error_set(err, UBLKPOL_ERR_FAILED, ret,
				 "the policy of device %d is not in " UBLKPOL_STATE_DIR ": %s",
				 info->id, strerror(-ret));
	ret = policy_image_open(&image, data, size, err);
	for (i = 0; !ret && i < image.header->nr_rules; i++) {
		if (policy_image_target(&image, i)->action != UBLKPOL_ACTION_MIRROR)
			*slots |= policy_image_written(&image, i);
	}
	free(data);
	return ret;
}

int mirrors_given_up(const struct ublkpol_info *info, __u64 *slots, struct ublkpol_error *err)
{
	struct ublkpol_mirror *mirrors;
	__u64 failed = 0, good = 0, alone = 0;
	int nr, i, ret = 0;

	nr = read_pinned(info, &mirrors);
	if (nr < 0)
		return mirrors_error(info->id, nr, err);
	for (i = 0; i < nr; i++) {
		failed |= mirrors[i].failed;
		good |= mirrors[i].legs & ~mirrors[i].failed;
	}
	free(mirrors);
	*slots = failed & ~good;
	if (*slots)
		ret = mirrors_written_alone(info, &alone, err);
	*slots &= ~alone;
	return ret;
}

/* --- for another generation --- */

/* What is known of backends, one bit for the slot of each */
struct stale {
	__u64 slots; /* have missed writes */
	__u64 unsynced; /* have never been copies */
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
	for (i = 0; i < stale->nr_mirrors; i++) {
		stale->slots |= stale->mirrors[i].failed;
		stale->unsynced |= stale->mirrors[i].unsynced;
	}
	for (b = 0; b < from->nr_backends; b++)
		stale->slots |= (__u64)from->backends[b].stale << b;
	return 0;
}

/* What is missing has nothing but its name */
static bool is_same(const struct ublkpol_backend_info *a, const struct ublkpol_backend_info *b)
{
	if (backend_path_is_missing(a->path) || backend_path_is_missing(b->path))
		return !strcmp(a->path, b->path) && !strcmp(a->name, b->name);
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
	stale->unsynced = slots_in(to, from, stale->unsynced);
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

/*
 * As in the program: the last leg that can be read is kept. It may be running, and note
 * failures of its own.
 */
static void fail_legs(struct ublkpol_mirror *mirror, __u64 legs)
{
	__u64 failed = __atomic_load_n(&mirror->failed, __ATOMIC_RELAXED);

	while (mirror->legs & ~(failed | mirror->unsynced | legs) &&
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
	__u64 unsynced = stale->unsynced & mirror->legs;
	__u64 legs = stale->slots & mirror->legs;

	if (!(mirror->legs & ~(legs | unsynced))) {
		if (!own || !(own->legs & ~(own->failed | unsynced))) {
			news->hopeless |= mirror->legs;
			return;
		}
		news->doubtful |= legs & ~own->failed;
		legs = own->failed;
	}
	news->legs |= mirror->legs;
	mirror->unsynced |= unsynced;
	fail_legs(mirror, legs);
}

/* The map of the mirrors of @info, to be written while a program uses it */
struct live_mirrors {
	struct ublkpol_mirror *mirrors; /* NULL: there is none */
	int nr;
	size_t size; /* bytes mapped */
};

static int live_map(int fd, struct live_mirrors *live)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int nr = map_entries(fd);

	if (nr < 0)
		return nr;
	live->size = ((size_t)nr * sizeof(*live->mirrors) + page - 1) / page * page;
	live->mirrors = mmap(NULL, live->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (live->mirrors == MAP_FAILED)
		return -errno;
	live->nr = nr;
	return 0;
}

static int live_open(const struct ublkpol_info *info, struct live_mirrors *live)
{
	int fd = open_pinned(info), ret;

	*live = (struct live_mirrors){ 0 };
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	ret = live_map(fd, live);
	close(fd);
	return ret;
}

static void live_close(struct live_mirrors *live)
{
	if (live->nr)
		munmap(live->mirrors, live->size);
}

static int mark_pinned(const struct ublkpol_info *to, const struct stale *stale,
		       struct mirrors_news *news)
{
	struct live_mirrors live;
	int ret, i;

	ret = live_open(to, &live);
	for (i = 0; i < live.nr; i++)
		mark_mirror(&live.mirrors[i], stale, news);
	live_close(&live);
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

static __u64 named_slots(const struct ublkpol_info *info)
{
	__u64 slots = 0;
	unsigned int b;

	for (b = 0; b < info->nr_backends; b++)
		slots |= (__u64)info->backends[b].named << b;
	return slots;
}

/* A leg that the user has named, beside good ones, is written, and read when it is in sync */
static __u64 take_back(struct ublkpol_mirror *mirror, __u64 named)
{
	__u64 legs = named & mirror->legs;

	if (!(mirror->legs & ~(mirror->failed | mirror->unsynced | legs)))
		return 0;
	mirror->failed &= ~legs;
	mirror->unsynced |= legs;
	return legs;
}

int mirrors_keep(struct ublkpol_info *to, const struct ublkpol_info *from,
		 struct mirrors_news *news, struct ublkpol_error *err)
{
	__u64 named = named_slots(to);
	struct live_mirrors live;
	struct stale stale;
	unsigned int b;
	int ret, i;

	*news = (struct mirrors_news){ 0 };
	ret = read_stale(from, &stale);
	if (ret)
		return mirrors_error(from->id, ret, err);
	free(stale.mirrors);
	/* The same as before, and good */
	for (b = 0; b < to->nr_backends; b++) {
		if (find_same(from, &to->backends[b]) >= 0 && !(stale.slots & (1ULL << b)))
			named &= ~(1ULL << b);
	}
	ret = live_open(to, &live);
	if (ret)
		return mirrors_error(to->id, ret, err);
	for (i = 0; i < live.nr; i++) {
		news->named |= named & live.mirrors[i].legs;
		news->held |= take_back(&live.mirrors[i], named);
	}
	live_close(&live);
	mark_backends(to, slots_in(to, from, stale.slots) & ~news->held);
	return 0;
}

int mirrors_inherit(struct ublkpol_info *to, const struct ublkpol_info *from,
		    struct mirrors_news *news, struct ublkpol_error *err)
{
	__u64 given_back;
	struct stale stale;
	int ret;

	*news = (struct mirrors_news){ .kept = slots_in(to, from, ~0ULL) };
	ret = read_stale(from, &stale);
	if (ret)
		return mirrors_error(from->id, ret, err);
	use_slots_of(to, from, &stale);
	/* What the user gives back to a mirror is written again, and read when it is in sync */
	given_back = stale.slots & named_slots(to);
	stale.unsynced |= given_back;
	stale.slots &= ~given_back;
	if (stale.slots || stale.unsynced)
		ret = mark_pinned(to, &stale, news);
	news->stale = stale.slots | (given_back & ~news->legs);
	if (ret)
		mirrors_error(to->id, ret, err);
	else
		news->any = mark_backends(to, news->stale);
	free(stale.mirrors);
	return ret;
}

int mirrors_no_good_leg(const struct ublkpol_info *info, __u64 legs, struct ublkpol_error *err)
{
	char names[512] = "";
	size_t used = 0;
	unsigned int b;

	for (b = 0; b < info->nr_backends && used < sizeof(names); b++) {
		if (legs & (1ULL << b))
			used += (size_t)snprintf(names + used, sizeof(names) - used, " %s",
						 info->backends[b].name);
	}
	return error_set(err, UBLKPOL_ERR_INPUT, -EINVAL,
			 "a mirror would have no good leg: all of its backends are missing, have "
			 "missed writes or are not in sync:%s",
			 names);
}

int mirrors_do_without_missing(struct ublkpol_info *info, struct ublkpol_error *err)
{
	struct live_mirrors live;
	__u64 missing = 0, hopeless = 0;
	unsigned int b;
	int ret, i;

	for (b = 0; b < info->nr_backends; b++)
		missing |= (__u64)backend_path_is_missing(info->backends[b].path) << b;
	if (!missing)
		return 0;
	ret = live_open(info, &live);
	if (ret)
		return mirrors_error(info->id, ret, err);
	for (i = 0; i < live.nr; i++) {
		const struct ublkpol_mirror *mirror = &live.mirrors[i];

		if (!(mirror->legs & ~(mirror->failed | mirror->unsynced | missing)))
			hopeless |= mirror->legs;
	}
	for (i = 0; !hopeless && i < live.nr; i++)
		fail_legs(&live.mirrors[i], missing & live.mirrors[i].legs);
	live_close(&live);
	if (hopeless)
		return mirrors_no_good_leg(info, hopeless, err);
	mark_backends(info, missing);
	return 0;
}

/* --- legs that are no copies yet --- */

/* Nothing is better than a leg that is new, if there is no good one */
static void hold_back(struct ublkpol_mirror *mirror, __u64 unknown)
{
	__u64 legs = unknown & mirror->legs & ~mirror->failed;

	if (mirror->legs & ~(mirror->failed | mirror->unsynced | legs))
		mirror->unsynced |= legs;
}

int mirrors_hold_back(const struct ublkpol_info *to, const struct ublkpol_info *from, __u64 *slots,
		      struct ublkpol_error *err)
{
	__u64 unknown = ~slots_in(to, from, ~0ULL);
	struct live_mirrors live;
	int ret, i;

	*slots = 0;
	ret = live_open(to, &live);
	if (ret)
		return mirrors_error(to->id, ret, err);
	for (i = 0; i < live.nr; i++) {
		hold_back(&live.mirrors[i], unknown);
		*slots |= live.mirrors[i].unsynced & ~live.mirrors[i].failed;
	}
	live_close(&live);
	return 0;
}

static const char *why_not_in_sync(const struct live_mirrors *live, __u64 bit)
{
	bool is_leg = false;
	int i;

	for (i = 0; i < live->nr; i++) {
		if (live->mirrors[i].failed & bit)
			return "has missed writes, and is not written any more: give it back to "
			       "the device with ublkpol swap -b";
		is_leg |= (live->mirrors[i].legs & bit) != 0;
	}
	return is_leg ? NULL : "is no leg of a mirror";
}

int mirrors_set_in_sync(const struct ublkpol_info *info, __u64 slots, struct ublkpol_error *err)
{
	struct live_mirrors live;
	const char *why = NULL;
	unsigned int b;
	int ret, i;

	ret = live_open(info, &live);
	if (ret)
		return mirrors_error(info->id, ret, err);
	for (b = 0; !why && b < info->nr_backends; b++) {
		if (slots & (1ULL << b))
			why = why_not_in_sync(&live, 1ULL << b);
	}
	for (i = 0; !why && i < live.nr; i++)
		__atomic_fetch_and(&live.mirrors[i].unsynced, ~slots, __ATOMIC_RELAXED);
	live_close(&live);
	return why ? error_set(err, UBLKPOL_ERR_INPUT, -EINVAL, "backend %s %s",
			       info->backends[b - 1].name, why)
		   : 0;
}
