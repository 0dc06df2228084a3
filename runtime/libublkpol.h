/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LIBUBLKPOL_H
#define LIBUBLKPOL_H

/*
 * libublkpol: run a compiled policy as a ublk block device.
 *
 * A policy device needs a process that owns it (its "daemon"), although no
 * request passes through that process: it holds the backends open, and its
 * threads lend the kernel their io_uring. The daemon calls
 *
 *	ublkpol_device_add();		the device is live, /dev/ublkbN exists
 *	ublkpol_device_wait();		sleeps until the device is stopped
 *	ublkpol_device_remove();	stops and deletes it, frees everything
 *
 * and any process with CAP_SYS_ADMIN can list, read and delete devices by
 * number with the functions at the end.
 *
 * Functions return 0 or a negative errno, and describe a failure in the
 * struct ublkpol_error that they are given (which may be NULL). Nothing is
 * printed. Nothing is left behind by a call that failed. All calls on one
 * device belong to the thread that added it.
 */
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <linux/types.h>

#include "ublkpol_object.h"

#define UBLKPOL_STATE_DIR "/run/ublkpol"
#define UBLKPOL_PIN_DIR	  "/sys/fs/bpf/ublkpol"
#define UBLKPOL_NODE	  "/dev/ublkb%d"

#define UBLKPOL_DEFAULT_QUEUES 1
#define UBLKPOL_DEFAULT_DEPTH  128
#define UBLKPOL_MAX_QUEUES     4096
#define UBLKPOL_MAX_DEPTH      4096

/* What kind of failure it is: also the exit code of ublkpol */
enum ublkpol_error_kind {
	UBLKPOL_ERR_NONE = 0,
	UBLKPOL_ERR_FAILED = 1, /* an operation failed */
	UBLKPOL_ERR_USAGE = 2, /* the command line is wrong */
	UBLKPOL_ERR_KERNEL = 3, /* the kernel lacks the program type or a feature */
	UBLKPOL_ERR_INPUT = 4, /* a policy or a backend cannot be used */
	UBLKPOL_ERR_NO_DEVICE = 5, /* there is no such policy device */
};

/* A failure as the user reads it: what failed, where, and what to do */
struct ublkpol_error {
	enum ublkpol_error_kind kind;
	char text[1024];
};

enum ublkpol_report_level {
	UBLKPOL_REPORT_DETAIL, /* what was found and decided */
	UBLKPOL_REPORT_WARNING, /* works, but not as well as it should */
};

/* Receives whole sentences, without a newline; @arg is the caller's own */
typedef void (*ublkpol_report_fn)(void *arg, enum ublkpol_report_level level, const char *text);

/* Which file or block device serves a backend of the policy */
struct ublkpol_binding {
	const char *name;
	const char *path; /* or UBLKPOL_MISSING */
};

/*
 * In place of a path: there is no such disk at the moment. Only a leg of mirrors may be
 * missing, which others can stand in for wherever the policy uses it, and each mirror
 * needs a good leg. The mirrors count it as failed. A file of that name is "./missing".
 */
#define UBLKPOL_MISSING "missing"

/* A parameter of the policy ("param" or "set") and what it is set to */
struct ublkpol_value {
	const char *name;
	const char *text; /* as the policy language writes it */
};

/* What becomes of a device, and of its requests, when its daemon dies */
enum ublkpol_recovery {
	UBLKPOL_RECOVERY_NONE, /* they fail; the device can only be deleted */
	UBLKPOL_RECOVERY_WAIT, /* those in flight fail, later ones wait for a new daemon */
	UBLKPOL_RECOVERY_REISSUE, /* all wait; those in flight are issued again */
	UBLKPOL_RECOVERY_FAIL, /* they fail until there is a new daemon */
};

/* Index into struct ublkpol_counters; the order of the UBLKPOL_OP_* bits */
enum ublkpol_op {
	UBLKPOL_READ,
	UBLKPOL_WRITE,
	UBLKPOL_FLUSH,
	UBLKPOL_DISCARD,
	UBLKPOL_WRITE_ZEROES,
};

/* A request that the policy sends to user code ("user") */
struct ublkpol_request {
	int id; /* of the device */
	unsigned int queue;
	unsigned int tag; /* requests in flight on a queue differ in it */
	enum ublkpol_op op;
	__u32 flags; /* UBLK_IO_F_* of <linux/ublk_cmd.h> */
	__u64 offset; /* byte on the device; 0 for a flush */
	__u64 length; /* bytes; 0 for a flush */
	int payload_fd; /* for the functions below */
};

/**
 * ublkpol_request_get() - read from the payload of a write
 * @request: as the handler got it, before the handler returns
 * @buffer: gets @length bytes
 * @offset: first byte, from the start of the request
 * @length: bytes
 *
 * Return: 0, -EINVAL for another operation or beyond the request, or what the
 * kernel said
 */
int ublkpol_request_get(const struct ublkpol_request *request, void *buffer, __u64 offset,
			size_t length);

/** ublkpol_request_put() - write to the payload of a read; the rest as above */
int ublkpol_request_put(const struct ublkpol_request *request, const void *buffer, __u64 offset,
			size_t length);

#define UBLKPOL_HANDLER_VERSION 1
#define UBLKPOL_HANDLER_SYMBOL	"ublkpol_handler"

/*
 * User code that serves such requests. A shared object for ublkpol add
 * --handler defines one as "const struct ublkpol_handler ublkpol_handler", and
 * takes the two functions above from the program that loads it.
 */
struct ublkpol_handler {
	unsigned int version; /* UBLKPOL_HANDLER_VERSION */
	/*
	 * Called once, before the first request; @argument is what the user
	 * gave, or "". May be NULL. Return: 0, or a negative errno: then the
	 * device is not started.
	 */
	int (*open)(const char *argument, void **state);
	/*
	 * Serves one request; it may take its time and block, but must not wait
	 * for another request of the device. Each queue calls it from a thread
	 * of its own, one request after the other. A read has to put all
	 * bytes. Return: 0 or a negative errno, which the request ends with.
	 */
	int (*handle)(void *state, const struct ublkpol_request *request);
	/* Called once, after the last request. May be NULL */
	void (*close)(void *state);
};

struct ublkpol_handler_options {
	const struct ublkpol_handler *handler; /* NULL: such requests fail with EIO */
	const char *path; /* of its shared object, for ublkpol_info; may be NULL */
	const char *argument; /* may be NULL */
};

struct ublkpol_add_options {
	const char *policy; /* path of FILE.bpf.o */
	/*
	 * Every backend without a default path in the policy needs one;
	 * relative paths start at the working directory.
	 */
	const struct ublkpol_binding *bindings;
	size_t nr_bindings;
	int id; /* device number, or -1: the first free one */
	unsigned int queues; /* 1..UBLKPOL_MAX_QUEUES; more than CPUs are not used */
	unsigned int depth; /* requests in flight per queue, 1..UBLKPOL_MAX_DEPTH */
	enum ublkpol_recovery recovery;
	bool no_discard; /* offer neither discards nor write-zeroes */
	struct ublkpol_handler_options handler;
	ublkpol_report_fn report; /* may be NULL */
	void *report_arg;
};

struct ublkpol_recover_options {
	/* Other files for backends than the device had, or UBLKPOL_MISSING */
	const struct ublkpol_binding *bindings;
	size_t nr_bindings;
	struct ublkpol_handler_options handler;
	ublkpol_report_fn report; /* may be NULL */
	void *report_arg;
};

struct ublkpol_device;

/**
 * ublkpol_device_add() - load a policy and bring its device up
 * @device: set to the new device, owned by the caller
 * @options: what to run
 * @err: what failed
 *
 * Opens the backends (block devices exclusively), loads the program, adds,
 * attaches and starts the device; starts one thread per queue. When it
 * returns 0, /dev/ublkbN takes I/O.
 *
 * The calling process becomes one that must not wait for memory: an I/O
 * flusher with locked memory, which the OOM killer spares. Where the system
 * refuses that (CAP_SYS_RESOURCE, CAP_IPC_LOCK), a warning is reported. Call it
 * before the process has other threads or rings; they would not inherit it.
 */
int ublkpol_device_add(struct ublkpol_device **device, const struct ublkpol_add_options *options,
		       struct ublkpol_error *err);

/**
 * ublkpol_device_recover() - become the daemon of a device whose daemon died
 * @device: set to the device, owned by the caller
 * @id: its number; it was added with another recovery than NONE
 * @options: as for ublkpol_device_add()
 * @err: what failed
 *
 * Opens the backends again, loads the policy that routed the device last, with
 * its parameters and all it had counted, and starts the queues. When it
 * returns 0, requests that waited go on. A leg that all its mirrors have failed, and that
 * cannot be opened any more, is taken to be UBLKPOL_MISSING, with a warning. The rest is
 * as with ublkpol_device_add(); after a failure the device is as it was before.
 * Return: 0, -ENODEV (UBLKPOL_ERR_NO_DEVICE), -EBUSY if the device has a
 * daemon, -EINVAL if it cannot be recovered, or another negative errno.
 */
int ublkpol_device_recover(struct ublkpol_device **device, int id,
			   const struct ublkpol_recover_options *options,
			   struct ublkpol_error *err);

/**
 * ublkpol_device_id() - the N of /dev/ublkbN
 * @device: from ublkpol_device_add()
 */
int ublkpol_device_id(const struct ublkpol_device *device);

/**
 * ublkpol_device_wait() - sleep until the device has to go
 * @device: from ublkpol_device_add()
 * @stop_fd: a file descriptor (a signalfd, say) that ends the wait when it
 *	     becomes readable, or -1
 *
 * Return: 0 when @stop_fd is readable or when somebody else stopped the
 * device; the caller then removes it.
 */
int ublkpol_device_wait(struct ublkpol_device *device, int stop_fd);

/**
 * ublkpol_device_stop_unused() - stop the device, unless somebody has it open
 * @device: from ublkpol_device_add(); to be removed also when it has stopped
 *
 * Waits up to 2 s for whoever has it open. Return: 0, -EBUSY if it is in use, or another
 * negative errno.
 */
int ublkpol_device_stop_unused(struct ublkpol_device *device);

/**
 * ublkpol_device_remove() - stop and delete the device, free everything
 * @device: from ublkpol_device_add(), or NULL; not usable afterwards
 *
 * Requests in flight end first; later ones fail with EIO.
 */
void ublkpol_device_remove(struct ublkpol_device *device);

enum ublkpol_status {
	UBLKPOL_LIVE, /* takes I/O */
	UBLKPOL_STARTING, /* its daemon is setting it up or taking it down */
	UBLKPOL_WAITING, /* the daemon died, requests wait: recover or delete it */
	UBLKPOL_FAILING, /* the daemon died, requests fail: recover or delete it */
	UBLKPOL_DEAD, /* the daemon died; delete it */
	UBLKPOL_STALE, /* only files in UBLKPOL_STATE_DIR are left; delete it */
};

struct ublkpol_backend_info {
	char *name;
	char *path; /* absolute, or UBLKPOL_MISSING: then the next three are 0 */
	__u64 dev; /* which file it is: of a block device, its number; ... */
	__u64 ino; /* ... of a file, its device and its inode, else 0 */
	__u64 disk_sequence; /* of a block device: no later one of its number has it; else 0 */
	__u64 size; /* bytes, when it came to the device, which uses no more of it */
	unsigned int can; /* UBLKPOL_CAN_* */
	bool stale; /* a leg of a mirror that has missed writes */
	bool named; /* by the user, when the device got it or got it back */
};

#define UBLKPOL_CAN_DISCARD	 (1U << 0)
#define UBLKPOL_CAN_WRITE_ZEROES (1U << 1)

struct ublkpol_value_info {
	char *name;
	char *text;
};

/* A policy device as another process sees it; strings are never NULL */
struct ublkpol_info {
	int id;
	enum ublkpol_status status;
	pid_t pid; /* of the daemon; 0: unknown */
	bool daemon_alive;
	unsigned int queues;
	unsigned int depth;
	unsigned int block_size; /* logical, bytes; 0: unknown */
	__u64 sectors; /* size in 512-byte sectors */
	__u64 max_request; /* bytes; this and the next three: 0 if unknown or none */
	unsigned int memory_align; /* bytes, of the buffers of direct I/O */
	__u64 max_discard; /* bytes */
	__u64 max_write_zeroes; /* bytes */
	enum ublkpol_recovery recovery;
	unsigned int generation; /* 1, and one more with each swap; 0: unknown */
	__u32 prog_id; /* BPF program that routes it; 0: unknown */
	char *policy; /* absolute path of the object; "": unknown */
	char *handler; /* absolute path of its shared object, or "" */
	char *handler_argument;
	struct ublkpol_backend_info *backends;
	unsigned int nr_backends;
	struct ublkpol_value_info *values; /* that were set on the live device */
	unsigned int nr_values;
};

/**
 * ublkpol_list() - all policy devices of this machine, by number
 * @list: set to an array, to be freed with ublkpol_list_free()
 * @count: set to its length
 * @err: what failed
 *
 * Devices of other ublk servers are not listed. A machine without ublk has
 * none: that is no error.
 */
int ublkpol_list(struct ublkpol_info **list, size_t *count, struct ublkpol_error *err);

/** ublkpol_list_free() - free what ublkpol_list() returned */
void ublkpol_list_free(struct ublkpol_info *list, size_t count);

/**
 * ublkpol_delete() - stop and delete a policy device of any process
 * @id: its number
 * @force: also if it is mounted, open, or backend of another device; whoever
 *	   uses it gets EIO, and its number is free when they have let go
 * @err: what failed
 *
 * Works also when its daemon is gone. Waits for a swap of the device to end.
 * When it returns 0, the nodes are gone and the daemon has exited.
 * Return: 0, -ENODEV (UBLKPOL_ERR_NO_DEVICE), -EPERM for a device of another
 * ublk server, -EBUSY, or what the kernel said.
 */
int ublkpol_delete(int id, bool force, struct ublkpol_error *err);

struct ublkpol_swap_options {
	const char *policy; /* path of FILE.bpf.o; NULL: the one that the device has */
	/*
	 * A backend without a binding stays on the file of the backend that
	 * has the same name now, else it is the policy's default path.
	 */
	const struct ublkpol_binding *bindings;
	size_t nr_bindings;
	/* With @policy NULL: the other parameters stay as they are set */
	const struct ublkpol_value *values;
	size_t nr_values;
	ublkpol_report_fn report; /* may be NULL */
	void *report_arg;
};

/**
 * ublkpol_swap() - replace the policy of a live device, or its parameters
 * @id: its number
 * @options: what to run; the policy must fit the device as it is: size, block
 *	     size, largest request, alignment, operations
 * @err: what failed
 *
 * Each request is served by the old policy or by the new one, as a whole. A
 * backend that both have stays open; the files of the others are opened by
 * this process, and closed when the last request of the old policy has ended.
 * A new policy starts new counters, new parameters go on with the old ones.
 *
 * When it returns 0, only the new policy is in use. After a failure only the
 * old one is. Return: 0, -ENODEV (UBLKPOL_ERR_NO_DEVICE), or a negative errno.
 */
int ublkpol_swap(int id, const struct ublkpol_swap_options *options, struct ublkpol_error *err);

/**
 * ublkpol_insync() - legs of mirrors are copies of the others from now on
 * @id: number of the device
 * @names: its backends that the caller has copied
 * @count: how many
 * @err: what failed
 *
 * A backend that ublkpol_swap() makes a leg of a mirror, beside others that the device had
 * before, or that ublkpol_device_recover() is given for one, is written and not read until this
 * says that it holds the same. Until then it does not count as a good leg: if it is the only one
 * left, writes fail. Those of ublkpol_device_add() are copies from the start. Return: 0, also for a
 * leg that is in sync; -ENODEV (UBLKPOL_ERR_NO_DEVICE); -EINVAL (UBLKPOL_ERR_INPUT) for what is no
 * leg, or has missed writes: then nothing has changed.
 */
int ublkpol_insync(int id, const char *const *names, size_t count, struct ublkpol_error *err);

struct ublkpol_rule_stats {
	unsigned int line; /* in its file, from 1 */
	const char *source; /* name of that file: the policy's, or one it includes */
	bool is_default;
	const char *label; /* "" without one */
	const char *counter; /* NAME of "count NAME", or "" */
	const char *text; /* the rule as it was written */
	struct ublkpol_counters counters;
};

struct ublkpol_mirror_leg {
	unsigned int backend; /* index in ublkpol_info.backends */
	bool failed; /* it failed a write, or is missing, and is not used any more */
	bool in_sync; /* it is read: neither failed nor new, see ublkpol_insync() */
	__u64 read_errors;
	__u64 write_errors;
};

/* Mirrors of the same backends are one */
struct ublkpol_mirror_info {
	struct ublkpol_mirror_leg *legs;
	unsigned int nr_legs;
};

struct ublkpol_queue_stats {
	pid_t tid;
	/*
	 * How often the thread of the queue came back to user mode: constant
	 * while only the policy serves requests.
	 */
	__u64 user_returns;
	__u64 redirected; /* requests the policy sent to the handler */
};

struct ublkpol_stats {
	const char *source; /* name of the policy file */
	struct ublkpol_rule_stats *rules;
	unsigned int nr_rules;
	struct ublkpol_counters unmatched; /* no rule matched: failed with EIO */
	struct ublkpol_counters *backends; /* in the order of ublkpol_info.backends */
	unsigned int nr_backends;
	struct ublkpol_mirror_info *mirrors;
	unsigned int nr_mirrors;
	struct ublkpol_queue_stats *queues;
	unsigned int nr_queues;
	void *image; /* holds the strings */
};

/**
 * ublkpol_stats_read() - what a device has done since it was added
 * @info: from ublkpol_list()
 * @stats: filled in, to be freed with ublkpol_stats_free()
 * @err: what failed
 *
 * A request that several rules or backends serve counts once in each of them.
 * Return: 0, -ESTALE if the device was swapped or deleted since ublkpol_list(), or
 * another negative errno
 */
int ublkpol_stats_read(const struct ublkpol_info *info, struct ublkpol_stats *stats,
		       struct ublkpol_error *err);

/** ublkpol_stats_free() - free what ublkpol_stats_read() filled in */
void ublkpol_stats_free(struct ublkpol_stats *stats);

struct ublkpol_param_info {
	char *name;
	char *text; /* as the policy language writes it; of a set, NULL if it was not changed */
	bool is_set; /* of ranges */
	unsigned int ranges; /* of a set: how many the policy declares */
	bool changed; /* by ublkpol_swap() */
};

/**
 * ublkpol_params_read() - parameters and sets of a device's policy, in the order
 * of the policy
 * @info: from ublkpol_list()
 * @params: set to an array, to be freed with ublkpol_params_free()
 * @count: set to its length
 * @err: what failed
 *
 * Return: as ublkpol_stats_read()
 */
int ublkpol_params_read(const struct ublkpol_info *info, struct ublkpol_param_info **params,
			size_t *count, struct ublkpol_error *err);

/** ublkpol_params_free() - free what ublkpol_params_read() returned */
void ublkpol_params_free(struct ublkpol_param_info *params, size_t count);

/* A request that a rule with the modifier "trace" serves */
struct ublkpol_trace_entry {
	__u64 time; /* ns of CLOCK_MONOTONIC */
	enum ublkpol_op op;
	__u32 flags; /* UBLK_IO_F_* of <linux/ublk_cmd.h> */
	__u64 offset; /* byte on the device where the request begins */
	__u64 length; /* bytes of the request */
	unsigned int queue;
	unsigned int ioprio;
	unsigned int line; /* of the rule; the strings are as in struct ublkpol_rule_stats */
	const char *label;
	const char *rule;
};

struct ublkpol_trace_reader;

/* @arg is the caller's own; @entry is valid during the call only */
typedef void (*ublkpol_trace_fn)(void *arg, const struct ublkpol_trace_entry *entry);

/**
 * ublkpol_trace_open() - read what the "trace" rules of a device report
 * @reader: set, to be closed with ublkpol_trace_close()
 * @info: from ublkpol_list(); the reader belongs to its generation
 * @fn: gets every entry
 * @arg: passed to @fn
 * @err: UBLKPOL_ERR_INPUT if no rule has "trace"
 *
 * Entries go to one reader only. Return: as ublkpol_stats_read()
 */
int ublkpol_trace_open(struct ublkpol_trace_reader **reader, const struct ublkpol_info *info,
		       ublkpol_trace_fn fn, void *arg, struct ublkpol_error *err);

/**
 * ublkpol_trace_poll() - wait for entries
 * @timeout_ms: at most so long, or -1
 *
 * Return: how many there were, 0 after the time or a signal, or a negative errno
 */
int ublkpol_trace_poll(struct ublkpol_trace_reader *reader, int timeout_ms);

/** ublkpol_trace_close() - @reader may be NULL */
void ublkpol_trace_close(struct ublkpol_trace_reader *reader);

#endif
