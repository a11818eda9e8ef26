#!/bin/sh
# aexp doctor: what it says of a machine without a card, without gnuplot, and with a results folder that cannot be
# written to. Usage: test_doctor.sh AEXP INPUTS
set -eu
. "$(dirname "$0")/common.sh"
export AEXP_PLUGIN_PATH="$work"

run 0 doctor -o "$results"
grep -q '^openblas *ok .*GFLOP/s' "$work/out" || fail "OpenBLAS is not measured"
grep -q '^cuda *missing *there is no plug-in' "$work/out" || fail "a missing plug-in is not said"
grep -q '^results *ok' "$work/out" || fail "the results folder is not tried"
[ ! -e "$results" ] || fail "doctor leaves a folder"
run 4 doctor cuda -o "$results"
run 2 doctor nvidia
touch "$work/file"
run 1 doctor -o "$work/file/results"
mkdir "$work/empty"
PATH_BEFORE=$PATH
PATH=$work/empty
code=0
"$aexp" doctor -o "$results" --json >"$work/out" || code=$?
PATH=$PATH_BEFORE
[ "$code" -eq 0 ] || fail "without gnuplot: exit code $code"
out '"what": "gnuplot", "verdict": "missing"'
[ "$failed" -eq 0 ]
