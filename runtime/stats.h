/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef RUNTIME_STATS_H
#define RUNTIME_STATS_H

#include "libublkpol.h"

/** stats_has_counted() - has the generation that @info describes served a request? */
bool stats_has_counted(const struct ublkpol_info *info);

#endif
