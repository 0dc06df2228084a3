/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STACKING_H
#define RUNTIME_STACKING_H

/*
 * A backend must not be the device itself, nor stand on it: its requests would
 * wait for themselves. The kernel refuses the device itself; what stands on it
 * is found here: partitions, device-mapper and md (slaves), loop devices, other
 * policy devices, and files on a file system of any of these.
 */
#include "backend.h"

/**
 * stacking_check() - refuse a backend that stands on /dev/ublkb@id
 * @backend: open or identified
 * @err: UBLKPOL_ERR_INPUT; names what it stands on
 *
 * Return: 0 or -ELOOP
 */
int stacking_check(const struct backend *backend, int id, struct ublkpol_error *err);

#endif
