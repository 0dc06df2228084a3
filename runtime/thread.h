/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_THREAD_H
#define RUNTIME_THREAD_H

#include <pthread.h>

/**
 * thread_start() - start a thread that no signal reaches: they are the main thread's
 * @stack: its size in bytes
 *
 * Return: 0 or a negative errno
 */
int thread_start(pthread_t *thread, size_t stack, void *(*run)(void *), void *arg);

#endif
