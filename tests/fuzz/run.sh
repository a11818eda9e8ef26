#!/bin/sh
# One target of libFuzzer's for some time. Usage: run.sh TARGET FOUND CORPUS OPTION...
# FOUND keeps what was found, from one call to the next; inputs that break a promise lie there as crash-*, timeout-*, oom-*.
set -eu
target=$1 found=$2 corpus=$3
shift 3
mkdir -p "$found"
exec "$target" "$found" "$corpus" -artifact_prefix="$found-" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=1024 \
	-max_len=8192 -print_final_stats=1 -close_fd_mask=1 "$@"
