#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The verifier rejects programs that break the rules of the kernel ABI
. "$(dirname "$0")/lib.sh"

"$kernel_tests/verifier"
