#!/bin/bash
# Two sweeps at once on one results folder that share some trials, and the same sweep twice at once: no clash, and no run
# is done twice. Usage: shared.sh AEXP SOURCE
set -eu
AEXP=$1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$2/tests/sweep/common.sh"

experiment "$WORK/a.cfg" "$grid"
experiment "$WORK/b.cfg" "${grid/0.003, 0.01, 0.03/0.01, 0.03, 0.1}"
mkdir "$WORK/both"
pids=
for file in a b a; do
	"$AEXP" sweep "$WORK/$file.cfg" -j 2 -q -v -o "$WORK/both" >/dev/null 2>>"$WORK/err" &
	pids="$pids $!"
done
for pid in $pids; do
	wait "$pid" || fail "one failed: $(cat "$WORK/err")"
done
[ "$(find "$WORK/both" -name metrics.json | wc -l)" = 16 ] || fail "not 16 runs of 12 + 12 with 8 in common"
# A training says what computed, once: `backend ...` under -v.
for file in a b; do
	sweep "$file-alone" "$WORK/$file.cfg"
	id=$(basename "$(dirname "$(result "$file-alone")")")
	cmp "$(result "$file-alone")" "$WORK/both/small/$id/sweep.json" || fail "$file: another result beside others"
done
find "$WORK/both" -name '.*.lock' | grep . && fail "a claim is left"
[ -z "$failed" ]
