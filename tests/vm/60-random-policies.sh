#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier accepts 1,000 random policies that the compiler accepts
. "$(dirname "$0")/lib.sh"

"$BUILD/load-policies" "$BUILD/random"
