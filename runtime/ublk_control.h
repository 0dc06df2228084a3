/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_UBLK_CONTROL_H
#define RUNTIME_UBLK_CONTROL_H

/*
 * Control commands of the ublk driver. They travel as 128-byte SQEs through a
 * ring of their own to /dev/ublk-control; every call here waits for the end of
 * its command and returns its result, 0 or a negative errno.
 */
#include <sched.h>
#include <liburing.h>
#include <linux/ublk_bpf.h>
#include <linux/ublk_cmd.h>

#include "error.h"

#define UBLK_CONTROL_NODE "/dev/ublk-control"
#define UBLK_CHAR_NODE	  "/dev/ublkc%d"

struct ublk_control {
	int fd;
	struct io_uring ring;
};

/**
 * ublk_control_open() - open the control device
 * @control: to be closed with ublk_control_close(); marked closed on failure
 * @err: says what is missing; -ENOENT is UBLKPOL_ERR_KERNEL
 */
int ublk_control_open(struct ublk_control *control, struct ublkpol_error *err);

/**
 * ublk_control_explain() - say why the ublk driver cannot be used
 * @code: what opening the control device gave
 * @err: written; UBLKPOL_ERR_KERNEL if there is no driver
 *
 * Return: @code
 */
int ublk_control_explain(int code, struct ublkpol_error *err);

/** ublk_control_close() - also for one that is closed, or whose fd is -1 */
void ublk_control_close(struct ublk_control *control);

/** ublk_control_get_features() - UBLK_F_* the driver knows */
int ublk_control_get_features(struct ublk_control *control, __u64 *flags);

/**
 * ublk_control_add() - add a device
 * @info: dev_id -1 takes the first free number; updated to what the driver chose
 */
int ublk_control_add(struct ublk_control *control, struct ublksrv_ctrl_dev_info *info);

/**
 * ublk_control_begin_del() - stop a device if it runs, and delete it
 *
 * Its nodes are gone then. Its number is free, and may be somebody else's, as soon
 * as the last opener is gone.
 */
int ublk_control_begin_del(struct ublk_control *control, int id);

/**
 * ublk_control_wait_free() - wait some seconds until a number is free
 *
 * Return: 0, or -EBUSY if the device is deleted but its number not free yet
 */
int ublk_control_wait_free(struct ublk_control *control, int id);

/** ublk_control_del() - both of them; returns the first error */
int ublk_control_del(struct ublk_control *control, int id);

/** ublk_control_stop() - end all I/O, remove the disk, abort all FETCH commands */
int ublk_control_stop(struct ublk_control *control, int id);

/**
 * ublk_control_stop_unused() - the same, unless somebody has the disk open
 *
 * Return: 0, -EBUSY, -ENODEV if there is no disk, or another negative errno
 */
int ublk_control_stop_unused(struct ublk_control *control, int id);

/**
 * ublk_control_start() - make the disk appear
 *
 * Waits until all FETCH commands have arrived from this process.
 */
int ublk_control_start(struct ublk_control *control, int id);

/**
 * ublk_control_start_recovery() - begin to be the daemon of a device that lost its own
 *
 * Return: 0, -EBUSY while the kernel is busy with the old one (or there is no
 * need), or another negative errno
 */
int ublk_control_start_recovery(struct ublk_control *control, int id);

/**
 * ublk_control_end_recovery() - let its requests go on
 *
 * Waits until all FETCH commands have arrived from this process.
 */
int ublk_control_end_recovery(struct ublk_control *control, int id);

int ublk_control_get_info(struct ublk_control *control, int id, struct ublksrv_ctrl_dev_info *info);
int ublk_control_set_params(struct ublk_control *control, int id, struct ublk_params *params);
int ublk_control_get_params(struct ublk_control *control, int id, struct ublk_params *params);

/** ublk_control_queue_cpus() - CPUs whose requests go to hardware queue @queue */
int ublk_control_queue_cpus(struct ublk_control *control, int id, unsigned int queue,
			    cpu_set_t *cpus);

int ublk_control_attach_bpf(struct ublk_control *control, int id, struct ublk_bpf_attach *attach);

/** ublk_control_detach_bpf() - of a live device: all requests go to the server then */
int ublk_control_detach_bpf(struct ublk_control *control, int id);

#endif
