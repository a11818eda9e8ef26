#!/bin/bash
# A sweep that is killed by SIGKILL at random moments and started again ends as if nothing had happened: no trial lost,
# none run twice to its end, no process left. Then workers are killed: each is a failed trial with its reason, the rest goes
# on, and --retry-failed mends it. Usage: resume.sh AEXP SOURCE [KILLS]
set -eu
AEXP=$1 KILLS=${3:-20}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$2/tests/sweep/common.sh"
RANDOM=2017

experiment "$WORK/small.cfg" "$learning"
sweep calm "$WORK/small.cfg"
[ "$code" = 0 ] || { cat "$WORK/err"; exit 1; }

# workers FOLDER: the processes of trials below it
workers() {
	pgrep -f "trial $WORK/$1/small" || true
}

: >"$WORK/seen"
kills=0
while :; do
	"$AEXP" sweep "$WORK/small.cfg" -j 2 -q -o "$WORK/killed" >/dev/null 2>"$WORK/err" &
	parent=$!
	if [ "$kills" -ge "$KILLS" ]; then
		wait "$parent" || fail "the last start failed: $(cat "$WORK/err")"
		break
	fi
	sleep "0.$(printf '%03d' $((RANDOM % 350 + 20)))"
	kill -9 "$parent" 2>/dev/null || true
	wait "$parent" 2>/dev/null || true
	kills=$((kills + 1))
	for _ in 1 2 3 4 5 6 7 8 9 10; do # the system needs a moment to end them
		[ -z "$(workers killed)" ] && break
		sleep 0.05
	done
	[ -z "$(workers killed)" ] || fail "workers live on after their parent"
	stamps killed >"$WORK/now" 2>/dev/null || : >"$WORK/now"
	while read -r line; do
		grep -qxF "$line" "$WORK/now" || fail "lost or run again: $line"
	done <"$WORK/seen"
	cp "$WORK/now" "$WORK/seen"
done
same calm killed
find "$WORK/killed/small" -name '.*.tmp' | grep . && fail "something half-made is left"

# Workers: SIGKILL hits one trial alone.
kills=0
"$AEXP" sweep "$WORK/small.cfg" -j 2 -q -o "$WORK/hit" >/dev/null 2>"$WORK/err" &
parent=$!
while kill -0 "$parent" 2>/dev/null && [ "$kills" -lt 3 ]; do
	sleep "0.$(printf '%03d' $((RANDOM % 200 + 50)))"
	victim=$(workers hit | head -1)
	[ -n "$victim" ] && kill -9 "$victim" 2>/dev/null && kills=$((kills + 1))
done
code=0
wait "$parent" || code=$?
count=$(grep -c '"status": "failed"' "$(result hit)" || true)
[ "$code" = 1 ] && [ "$count" -ge 1 ] || fail "exit code $code with $count failed trials after $kills kills"
grep '"failed", ' "$(result hit)" | grep -qv 'killed by signal 9' && fail "a reason is not the signal"
[ "$(grep -c '{"trial": ' "$(result hit)")" = 24 ] || fail "trials are missing"
sweep hit "$WORK/small.cfg" -j 2
[ "$code" = 1 ] || fail "a sweep with failed trials ends with $code"
sweep hit "$WORK/small.cfg" -j 2 --retry-failed
[ "$code" = 0 ] || fail "--retry-failed ends with $code: $(cat "$WORK/err")"
grep -q '"failed": 0' "$(result hit)" || fail "failed trials are left"
[ -z "$failed" ]
