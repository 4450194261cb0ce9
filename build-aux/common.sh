#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the commands in this folder share; sourced by them.

say() {
    echo "$(basename "$0"): $*" >&2
}

# Runs a command silently; if it fails, shows what it said.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" > "$log" 2>&1 < /dev/null; then
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
    rm -f "$log"
}
