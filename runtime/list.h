/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_LIST_H
#define RUNTIME_LIST_H

/* What ublkpol_list() and ublkpol_delete() share, see libublkpol.h */
#include "ublk_control.h"

/**
 * list_open_control() - open the control device if there is one
 *
 * Return: 0, also without a ublk driver (control->fd is -1 then)
 */
int list_open_control(struct ublk_control *control, struct ublkpol_error *err);

/**
 * list_lookup() - what is device @id?
 * @control: from list_open_control()
 * @info: set on success, to be freed with state_free_info()
 *
 * Return: 0, -ENODEV if neither the kernel nor the state files know it,
 * -EPERM if it belongs to another ublk server
 */
int list_lookup(struct ublk_control *control, int id, struct ublkpol_info *info);

/**
 * list_find() - list_lookup() that says what is wrong
 * @err: UBLKPOL_ERR_NO_DEVICE for the two errors of list_lookup()
 */
int list_find(struct ublk_control *control, int id, struct ublkpol_info *info,
	      struct ublkpol_error *err);

#endif
