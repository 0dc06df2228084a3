/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

/*
 * What other processes need to know of a policy device and the kernel does
 * not keep. One folder per device, readable by root only:
 *
 *	/run/ublkpol		locked while a device is added or deleted
 *	/run/ublkpol/N/state	key=value lines, see state_text.h
 *	/run/ublkpol/N/next	the state that a swap is about to bring
 *	/run/ublkpol/N/G.object	the policy of generation G, as it was compiled
 *	/run/ublkpol/N/G.image	its image, for the text of its rules
 *	/run/ublkpol/N/lock	locked while the policy is replaced, or the
 *				device deleted; taken before that of /run/ublkpol
 *	/run/ublkpol/N/queues	struct queue_counters of each queue, written
 *				by the queue threads; locked by the daemon as
 *				long as it lives
 *
 * The folder goes before the device number is free for another device. What
 * the policy itself has to remember is pinned beside it, see pins.h.
 *
 * A generation is a policy with its parameters and backends. "state" names the
 * current one: replacing that file is the moment at which another generation
 * becomes current.
 */
#include <stdbool.h>
#include <stddef.h>

#include "error.h"
#include "queue.h"

/* The queues file as the daemon holds it */
struct state_queues {
	int fd; /* -1: not open */
	struct queue_counters *counters;
	unsigned int count;
};

/* The files of a generation; the buffers are not owned */
struct state_files {
	const void *object;
	size_t object_size;
	const void *image;
	size_t image_size;
};

/** state_set_root() - use another folder than UBLKPOL_STATE_DIR, for tests */
void state_set_root(const char *root);

/**
 * state_lock() - wait until no other process adds or deletes a device
 * @fd: set to a descriptor; closing it unlocks
 */
int state_lock(int *fd, struct ublkpol_error *err);

/**
 * state_lock_device() - wait until no other process replaces the policy of @id
 * @fd: set to a descriptor; closing it unlocks
 *
 * Return: 0, -ENOENT without such a device, or another negative errno
 */
int state_lock_device(int id, int *fd);

/**
 * state_try_lock_device() - the same without waiting
 *
 * Return: also -EBUSY
 */
int state_try_lock_device(int id, int *fd);

/** state_lock_is_current() - is @fd still the lock of device @id, not of one before it? */
bool state_lock_is_current(int id, int fd);

/**
 * state_create() - make the folder of device @id, replacing a stale one
 * @queues: mapped and locked for the calling process; see state_close()
 * @nr_queues: how many counters
 */
int state_create(int id, struct state_queues *queues, unsigned int nr_queues,
		 struct ublkpol_error *err);

/**
 * state_adopt() - become the daemon in the folder of a device that lost its own
 * @queues, @nr_queues: as with state_create(); counters start again from 0
 */
int state_adopt(int id, struct state_queues *queues, unsigned int nr_queues,
		struct ublkpol_error *err);

/** state_close() - unmap and unlock the queues file */
void state_close(struct state_queues *queues);

/** state_save_files() - write the files of generation @generation of device @id */
int state_save_files(int id, unsigned int generation, const struct state_files *files,
		     struct ublkpol_error *err);

/** state_save() - write the state file of @info->id: its generation is current */
int state_save(const struct ublkpol_info *info, struct ublkpol_error *err);

/** state_save_next() - note the generation that a swap is about to bring */
int state_save_next(const struct ublkpol_info *info, struct ublkpol_error *err);

/** state_commit_next() - make the generation of state_save_next() the current one */
int state_commit_next(int id, struct ublkpol_error *err);

/** state_has_next() - is there such a note? */
bool state_has_next(int id);

/** state_drop_next() - forget the note of state_save_next(); harmless without one */
void state_drop_next(int id);

/** state_remove_files() - delete the files of a generation; harmless without them */
void state_remove_files(int id, unsigned int generation);

/**
 * state_load() - read the state file of device @id
 * @info: id, pid, daemon_alive and all that was saved; other fields are 0.
 *	  Strings are set also after a failure. To be freed with
 *	  state_free_info()
 *
 * Return: 0, -ENOENT without such a file, -EINVAL if it makes no sense
 */
int state_load(int id, struct ublkpol_info *info);

/** state_load_next() - read the note of state_save_next(); else as state_load() */
int state_load_next(int id, struct ublkpol_info *info);

/**
 * state_read_failed() - why a file or a pin of @info's generation could not be read
 * @code: what reading it returned, for which @err is set
 *
 * Return: -ESTALE, with another @err, if the device has another generation by now or
 * is gone; else @code
 */
int state_read_failed(const struct ublkpol_info *info, int code, struct ublkpol_error *err);

void state_free_info(struct ublkpol_info *info);

/** state_free_generation() - free only policy, backends and values of it */
void state_free_generation(struct ublkpol_info *info);

/** state_daemon_alive() - does the daemon of device @id still run? */
bool state_daemon_alive(int id);

/**
 * state_load_image() - read the policy image of a generation of device @id
 * @image: set to a buffer to be freed
 * @size: bytes
 */
int state_load_image(int id, unsigned int generation, void **image, size_t *size);

/** state_object_path() - where state_save_files() put the object; returns @path of PATH_MAX */
const char *state_object_path(char *path, int id, unsigned int generation);

/**
 * state_load_queues() - read the counters of @count queues of device @id
 *
 * Return: 0 or a negative errno
 */
int state_load_queues(int id, struct queue_counters *counters, unsigned int count);

/**
 * state_ids() - numbers of all device folders, in no order
 * @ids: set to an array to be freed
 */
int state_ids(int **ids, size_t *count);

/** state_remove() - delete the folder and the pins of device @id; harmless without them */
void state_remove(int id);

#endif
