/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_PINS_H
#define RUNTIME_PINS_H

/*
 * Maps that outlive the program that uses them: counters, what is known of the
 * legs of a mirror. They are pinned in a bpf file system, in
 * UBLKPOL_PIN_DIR/N/G/ for generation G of device N, under their own names. So
 * a new daemon, or new parameters, go on with what the old one knew.
 */
#include <limits.h>

#include "error.h"

/** pins_set_root() - use another folder than UBLKPOL_PIN_DIR, for tests */
void pins_set_root(const char *root);

/**
 * pins_folder() - the folder of a generation
 *
 * Return: @path
 */
const char *pins_folder(char path[PATH_MAX], int id, unsigned int generation);

/**
 * pins_create() - make the folder of a generation, empty
 *
 * Mounts the bpf file system if nobody has. Return: 0 or a negative errno.
 */
int pins_create(int id, unsigned int generation, struct ublkpol_error *err);

/** pins_remove() - unpin all of a generation; harmless without it */
void pins_remove(int id, unsigned int generation);

/** pins_remove_device() - unpin all of a device; harmless without it */
void pins_remove_device(int id);

/**
 * pins_open() - a pinned map of a generation
 * @map: its name
 *
 * Return: a descriptor for the caller to close, or a negative errno
 */
int pins_open(int id, unsigned int generation, const char *map);

#endif
