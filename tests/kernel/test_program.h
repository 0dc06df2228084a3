/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

/* What the programs that test the kernel series share: results, and loading of BPF objects */
#include <stdbool.h>
#include <bpf/libbpf.h>

/* In BPF sources, calls of bpf_ublk_queue_sqe() have this number until they are loaded */
#define HELPER_BY_NAME 0x5b1c

/** check() - print "ok" or "FAIL" and a printf text; failures are counted */
void check(bool ok, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** check_result() - what main() returns: 0 if no check failed, or 1 */
int check_result(void);

/**
 * require() - give the test up unless a step worked
 * @ret: negative errno: print it with the printf text and exit with 1
 */
void require(long ret, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** require_fd() - the same for a call that returns -1 and sets errno; returns @fd */
int require_fd(int fd, const char *what);

/** drop_capability() - of this process, whatever its user */
void drop_capability(unsigned int capability);

/** programs_open() - open a BPF object whose SEC("ublk") and SEC("ublk/complete") are ours */
struct bpf_object *programs_open(const char *path);

/** programs_load() - load it, with the running kernel's number of the helper */
void programs_load(struct bpf_object *object);

/** program_fd() - of the function @name in a loaded object */
int program_fd(const struct bpf_object *object, const char *name);

/** constant_set() - change a "const volatile" variable before loading */
void constant_set(struct bpf_object *object, const char *name, const void *value, size_t size);

/** map_fd() - of a map in a loaded object */
int map_fd(const struct bpf_object *object, const char *name);

#endif
