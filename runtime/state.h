/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STATE_H
#define RUNTIME_STATE_H

/*
 * What other processes need to know of a policy device and the kernel does
 * not keep. One folder per device, readable by root only:
 *
 *	/run/ublkpol		locked while a device is added or deleted
 *	/run/ublkpol/N/state	key=value lines, see state_format()
 *	/run/ublkpol/N/image	the policy image, for the text of its rules
 *	/run/ublkpol/N/queues	struct queue_counters of each queue, written
 *				by the queue threads; locked by the daemon as
 *				long as it lives
 *
 * The folder goes before the device number is free for another device.
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

/** state_set_root() - use another folder than UBLKPOL_STATE_DIR, for tests */
void state_set_root(const char *root);

/**
 * state_lock() - wait until no other process adds or deletes a device
 * @fd: set to a descriptor; closing it unlocks
 */
int state_lock(int *fd, struct ublkpol_error *err);

/**
 * state_create() - make the folder of device @id, replacing a stale one
 * @queues: mapped and locked for the calling process; see state_close()
 * @nr_queues: how many counters
 */
int state_create(int id, struct state_queues *queues, unsigned int nr_queues,
		 struct ublkpol_error *err);

/** state_close() - unmap and unlock the queues file */
void state_close(struct state_queues *queues);

/**
 * state_save() - write the state and image files of @info->id
 * @image: policy image, @image_size bytes
 */
int state_save(const struct ublkpol_info *info, const void *image, size_t image_size,
	       struct ublkpol_error *err);

/**
 * state_load() - read the state file of device @id
 * @info: id, pid, daemon_alive and all that was saved; other fields are 0.
 *	  Strings are set also after a failure. To be freed with
 *	  state_free_info()
 *
 * Return: 0, -ENOENT without such a file, -EINVAL if it makes no sense
 */
int state_load(int id, struct ublkpol_info *info);

void state_free_info(struct ublkpol_info *info);

/** state_daemon_alive() - does the daemon of device @id still run? */
bool state_daemon_alive(int id);

/**
 * state_load_image() - read the policy image of device @id
 * @image: set to a buffer to be freed
 * @size: bytes
 */
int state_load_image(int id, void **image, size_t *size);

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

/** state_remove() - delete the folder of device @id; harmless without one */
void state_remove(int id);

/**
 * state_format() - the text of a state file
 *
 * One "key=value" per line; in values, backslash and newline are written as
 * "\\" and "\n".
 * Return: a string to be freed, or NULL without memory
 */
char *state_format(const struct ublkpol_info *info);

/**
 * state_parse() - read such a text
 * @text: NUL-terminated, is cut up
 * @info: zeroed by the caller except id
 *
 * Unknown keys are skipped, so that a newer version may add some.
 * Return: 0, -EINVAL or -ENOMEM
 */
int state_parse(char *text, struct ublkpol_info *info);

#endif
