/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_BACKEND_CAN_H
#define RUNTIME_BACKEND_CAN_H

/* What a backend can do besides reading, writing and flushing */
#include "backend.h"

/**
 * backend_probe_can() - find out, by asking the queue or by trying it on the file
 * @backend: open; its can and discard_granularity are set
 *
 * A file is tried behind its end, where there is nothing to lose; it keeps its
 * size. Needs to be alone on the file. What cannot be found out cannot be done.
 */
void backend_probe_can(struct backend *backend);

/**
 * backend_discard_granularity() - bytes that can be discarded one by one
 * @backend: open
 */
unsigned int backend_discard_granularity(const struct backend *backend);

#endif
