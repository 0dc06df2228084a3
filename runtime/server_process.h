/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_SERVER_PROCESS_H
#define RUNTIME_SERVER_PROCESS_H

#include "libublkpol.h"

/**
 * server_process_prepare() - make the process fit to own a device
 * @report: told what the system refused; may be NULL
 * @report_arg: passed to @report
 *
 * Memory reclaim may write to the policy device, and then waits for threads of
 * this process: it must not wait for reclaim itself. Comes before the first
 * thread and the first io-wq worker, which inherit it.
 */
void server_process_prepare(ublkpol_report_fn report, void *report_arg);

#endif
