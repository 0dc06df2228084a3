/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_POLICY_OBJECT_H
#define RUNTIME_POLICY_OBJECT_H

/*
 * A compiled policy, FILE.bpf.o: opened and checked, laid out on a device,
 * loaded into the kernel. The steps come in this order:
 *
 *	policy_object_open();		which backends does it need?
 *	policy_object_resolve();	with their sizes: what is the device like?
 *	policy_object_load();		now the kernel has the program and its maps
 *
 * One thread at a time: libbpf's table of program types belongs to the process.
 */
#include "error.h"
#include "kernel_features.h"
#include "policy_image.h"

struct policy_object;

/* What the kernel is to be told about the device */
struct policy_geometry {
	__u64 dev_sectors; /* 512-byte sectors */
	__u32 block_size; /* logical, bytes */
	__u32 max_sectors; /* of one request, 512-byte sectors */
	__u32 max_items; /* SQEs that one request can need */
	__u32 max_discard_sectors; /* of one discard or write-zeroes; 0: not served */
};

/**
 * policy_object_open() - open a compiled policy and check it
 * @policy: set to the policy, to be closed with policy_object_close()
 * @path: of the object
 * @err: UBLKPOL_ERR_INPUT if it is no policy or damaged
 *
 * Nothing in the file is trusted: everything that the functions below return
 * has been checked. Return: 0 or a negative errno.
 */
int policy_object_open(struct policy_object **policy, const char *path, struct ublkpol_error *err);

/** policy_object_close() - unload and free; @policy may be NULL */
void policy_object_close(struct policy_object *policy);

/** policy_object_bytes() - the file as it was read; belongs to @policy */
const void *policy_object_bytes(const struct policy_object *policy, size_t *size);

/** policy_object_header() - the image, header.image_size bytes of it */
const struct ublkpol_header *policy_object_header(const struct policy_object *policy);

/** policy_object_backends() - table of header.nr_backends backends, in slot order */
const struct ublkpol_backend *policy_object_backends(const struct policy_object *policy);

/** policy_object_legs() - table of header.nr_legs slots, see struct ublkpol_rule */
const __u32 *policy_object_legs(const struct policy_object *policy);

/** policy_object_string() - text of a string of the image, such as backend.name */
const char *policy_object_string(const struct policy_object *policy, __u32 string);

/**
 * policy_object_set_value() - set a parameter or a set of the policy
 * @name: of its "param" or "set"
 * @text: value, as the policy language writes it
 * @err: UBLKPOL_ERR_INPUT if there is no such parameter, or not such a value
 *
 * Before policy_object_resolve(). Return: 0 or a negative errno.
 */
int policy_object_set_value(struct policy_object *policy, const char *name, const char *text,
			    struct ublkpol_error *err);

/**
 * policy_object_set_device() - the device exists
 * @dev_sectors: its size, 512-byte sectors
 * @discard_sectors: of the largest discard or write-zeroes that it takes, or 0
 *
 * A policy that declares another size, or cannot serve such discards, says so
 * in its geometry. Before policy_object_resolve().
 */
void policy_object_set_device(struct policy_object *policy, __u64 dev_sectors,
			      __u32 discard_sectors);

/**
 * policy_object_resolve() - lay the policy out on a device
 * @sectors: usable size of each backend in 512-byte sectors, whole blocks
 * @block_size: of the device, bytes: what the backends need, or more
 * @report: gets the warnings; may be NULL
 * @report_arg: passed to @report
 * @err: UBLKPOL_ERR_INPUT and all errors, each with the policy's line
 *
 * Once per object. Return: 0 or a negative errno.
 */
int policy_object_resolve(struct policy_object *policy, const __u64 *sectors,
			  unsigned int block_size, ublkpol_report_fn report, void *report_arg,
			  struct ublkpol_error *err);

/** policy_object_write_slots() - backends that a write can reach, as a bit mask */
__u64 policy_object_write_slots(const struct policy_object *policy);

/**
 * policy_object_read_alone() - backends that rules read whatever they hold
 *
 * Past mirrors, where no other leg stands in for them.
 */
__u64 policy_object_read_alone(const struct policy_object *policy);

/** policy_object_only_legs() - legs that the other legs of their mirrors can stand in for */
__u64 policy_object_only_legs(const struct policy_object *policy);

/** policy_object_joined() - of @slots those in a mirror that has others, too */
__u64 policy_object_joined(const struct policy_object *policy, __u64 slots);

/** policy_object_geometry() - after policy_object_resolve() */
const struct policy_geometry *policy_object_geometry(const struct policy_object *policy);

/**
 * policy_object_reuse_state() - go on with the maps that another load has pinned
 * @folder: where policy_object_pin_state() put them; missing ones start empty
 *
 * Before policy_object_load(), of an object with the same text.
 * Return: 0 or a negative errno.
 */
int policy_object_reuse_state(struct policy_object *policy, const char *folder,
			      struct ublkpol_error *err);

/**
 * policy_object_load() - create the maps and load the program
 * @features: numbers of the running kernel: program and attach type, helper
 * @err: of a program that the verifier refuses, the end of its log
 *
 * After policy_object_resolve(), once per object. Return: 0 or a negative errno.
 */
int policy_object_load(struct policy_object *policy, const struct kernel_features *features,
		       struct ublkpol_error *err);

/**
 * policy_object_pin_state() - keep what the device has to remember when its
 * program is gone: counters and the like
 * @folder: an empty folder of a bpf file system
 *
 * Return: 0 or a negative errno.
 */
int policy_object_pin_state(const struct policy_object *policy, const char *folder,
			    struct ublkpol_error *err);

/** policy_object_log() - all that the verifier said when it refused the program, or "" */
const char *policy_object_log(const struct policy_object *policy);

/** policy_object_prog_fd() - the loaded program; belongs to @policy */
int policy_object_prog_fd(const struct policy_object *policy);

/**
 * policy_object_complete_fd() - the loaded complete program; belongs to @policy
 *
 * Return: -ENOENT if the policy needs none
 */
int policy_object_complete_fd(const struct policy_object *policy);

/** policy_object_counters_fd() - its map of struct ublkpol_counters; belongs to @policy */
int policy_object_counters_fd(const struct policy_object *policy);

/**
 * policy_object_map_fd() - a map of the loaded program by name
 *
 * Return: a file descriptor that belongs to @policy, or a negative errno
 */
int policy_object_map_fd(const struct policy_object *policy, const char *name);

#endif
