/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_SWAP_H
#define RUNTIME_SWAP_H

#include "error.h"
#include "ublk_control.h"

/**
 * swap_settle() - clean up after a process that died while it replaced a policy
 * @id: number of the device, which need not exist
 *
 * The kernel replaces a policy at once, the state files follow. A process that
 * dies in between leaves a note (the file "next"), from which this finds out
 * what the kernel has. Harmless when a replacement is going on.
 */
void swap_settle(int id);

/**
 * swap_settle_locked() - the same for who has the device's lock
 * @err: why it is not known what the kernel has; then the note stays
 *
 * Return: 0, also if there was nothing to clean up, or a negative errno
 */
int swap_settle_locked(int id, struct ublkpol_error *err);

/**
 * swap_lock_settled() - have a device to oneself, settled
 * @info: set; the caller frees it with state_free_info()
 * @device_lock: set; until it is closed, nobody else replaces anything of the device, or
 *		 deletes it
 *
 * Return: 0, -ENODEV (UBLKPOL_ERR_NO_DEVICE) or another negative errno; then neither is set.
 */
int swap_lock_settled(struct ublk_control *control, int id, struct ublkpol_info *info,
		      int *device_lock, struct ublkpol_error *err);

#endif
