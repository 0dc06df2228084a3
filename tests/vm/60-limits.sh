#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier of the patched kernel takes policies that reach the limits of the
# language, each of them and all at once
. "$(dirname "$0")/lib.sh"

"$BUILD/load-policies" "$BUILD/limits"
