/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef UBLKPOL_TEST_BACKEND_H
#define UBLKPOL_TEST_BACKEND_H

#include <stddef.h>
#include <stdint.h>

/* Prints the message and exits with status 1 */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *fmt, ...);

/*
 * Opens a backend or a device for reads past the page cache, and stores its
 * size in bytes in *@size.
 */
int open_direct(const char *path, int flags, uint64_t *size);

/* Page-aligned memory that O_DIRECT takes; never NULL */
void *direct_memory(size_t size);

/* Reads all of [@offset, @offset + @len) or dies; @path is for the message */
void read_all(int fd, const char *path, void *buf, size_t len, uint64_t offset);

#endif
