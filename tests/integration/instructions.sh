#!/usr/bin/env bash
# What a no-op call takes, in instructions, must not grow unnoticed.
exec python3 -B "$(dirname "$0")/../../bench/instructions.py" "$1"
