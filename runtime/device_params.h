/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_DEVICE_PARAMS_H
#define RUNTIME_DEVICE_PARAMS_H

/*
 * What a device promises to those who use it: its size, its blocks, the largest
 * request, which operations it takes. It is fixed when the device starts, so a
 * policy that comes later must be able to keep the promise.
 */
#include <linux/ublk_cmd.h>

#include "backend.h"
#include "error.h"
#include "policy_object.h"

/**
 * device_params_make() - what a policy on its backends can promise
 * @policy: resolved
 * @backends: in slot order, @count of them
 * @params: filled in, for UBLK_U_CMD_SET_PARAMS
 */
void device_params_make(const struct policy_object *policy, const struct backend *backends,
			unsigned int count, struct ublk_params *params);

/** device_params_discard() - sectors of the largest discard or write-zeroes, or 0 */
__u32 device_params_discard(const struct ublk_params *fixed);

/**
 * device_params_check_block() - can the device keep its block size?
 * @fixed: of the device
 * @needed: bytes that the backends need
 * @declared: bytes that the policy declares, or 0
 */
int device_params_check_block(const struct ublk_params *fixed, unsigned int needed,
			      unsigned int declared, struct ublkpol_error *err);

/**
 * device_params_check() - does a policy keep what the device has promised?
 * @fixed: of the device
 * @params: from device_params_make()
 * @err: UBLKPOL_ERR_INPUT, says what differs
 */
int device_params_check(const struct ublk_params *fixed, const struct ublk_params *params,
			struct ublkpol_error *err);

#endif
