#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The proxy that injects faults injects them.
exec python3 -B "$(dirname "$0")/../support/check_fault_proxy.py"
