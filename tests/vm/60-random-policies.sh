#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier accepts random policies that the compiler accepts: RANDOM_POLICIES of them
. "$(dirname "$0")/lib.sh"

"$BUILD/load-policies" "$BUILD/random"
