/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_SWAP_H
#define RUNTIME_SWAP_H

#include "error.h"

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

#endif
