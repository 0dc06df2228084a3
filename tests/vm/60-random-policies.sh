#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier of the patched kernel takes the random policies that the compiler takes
. "$(dirname "$0")/lib.sh"

"$BUILD/load-policies" "$BUILD/random"
