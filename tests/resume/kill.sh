#!/bin/bash
# Runs that are killed by SIGKILL at random moments and started again, until they are finished, against the same runs that
# nobody disturbed: the same bytes, and nothing left behind. A moment is random over all that a run does: loading, writing
# a cache, training, checkpoints, figures, the last files. Kinds of training and backends come in turn.
# Usage: kill.sh AEXP SOURCE [KILLS] [KIND...]
set -eu
AEXP=$1 SOURCE=$2 KILLS=${3:-20}
shift 2
[ $# -eq 0 ] || shift
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"
[ $# -eq 0 ] || kinds=$*
RANDOM=$KILLS

kills=0 runs=0 resumed=0
time_of() {
	date +%s%N
}

# keeps KIND: what makes a run of that kind leave checkpoints wherever it can.
keeps() {
	[ "$1" = closed ] || echo "$often"
}

# disturb KIND BACKEND: kills it once or several times on its way, each time at a moment of the whole time that a run takes.
disturb() {
	rm -rf "$WORK/killed"
	rounds=$((RANDOM % 3 + 1))
	for ((i = 0; i < rounds && kills < KILLS; i++)); do
		"$AEXP" run "$WORK/$1-$2.cfg" $(keeps "$1") -t $((RANDOM % 3 + 1)) -o "$WORK/killed" >/dev/null 2>"$WORK/err" &
		child=$!
		moment=$((RANDOM * 32768 + RANDOM))
		sleep "$(awk -v share=$((moment % 1000)) -v most="${length[$1-$2]}" 'BEGIN { print share / 1000 * most / 1e9 }')"
		kill -9 "$child" 2>/dev/null && kills=$((kills + 1))
		wait "$child" 2>/dev/null || true
	done
	code=0
	"$AEXP" run "$WORK/$1-$2.cfg" $(keeps "$1") -t $((RANDOM % 3 + 1)) -o "$WORK/killed" >"$WORK/out" 2>"$WORK/err" || code=$?
	! grep 'ckpt: ' "$WORK/err" || fail "$1, $2: a checkpoint was not taken"
	[ "$code" = 0 ] || { fail "$1, $2: exit code $code: $(cat "$WORK/err")"; return; }
	# Once more, as a user would: what is finished stays as it is, and is tidied up.
	"$AEXP" run "$WORK/$1-$2.cfg" -q -o "$WORK/killed" >/dev/null 2>&1 || fail "$1, $2: the finished run is not found"
	same "$WORK/calm-$1-$2" "$WORK/killed" "$1, $2" || true
	grep -q '"resumed_from_epoch": 0' "$(find "$WORK/killed" -name run.json)" || resumed=$((resumed + 1))
	runs=$((runs + 1))
}

declare -A length
while [ "$kills" -lt "$KILLS" ] && [ -z "$failed" ]; do
	for kind in $kinds; do
		for backend in openblas reference; do
			[ "$kills" -lt "$KILLS" ] || break 2
			if [ -z "${length[$kind-$backend]-}" ]; then
				write "$kind" "$WORK/$kind-$backend.cfg" "$backend"
				start=$(time_of)
				"$AEXP" run "$WORK/$kind-$backend.cfg" $(keeps "$kind") -q -o "$WORK/calm-$kind-$backend" >/dev/null 2>"$WORK/err" ||
					{ cat "$WORK/err"; exit 1; }
				length[$kind-$backend]=$(($(time_of) - start))
			fi
			disturb "$kind" "$backend"
		done
	done
done
echo "$kills kills, $runs runs, of which $resumed went on from a checkpoint"
[ "$KILLS" -lt 20 ] || [ "$resumed" -gt 0 ] || fail "no run went on from a checkpoint"
[ -z "$failed" ]
