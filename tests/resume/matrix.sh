#!/bin/bash
# Five experiments, each with several numbers of threads and of runs beside each other, undisturbed and interrupted by
# SIGKILL on the way: the same bytes each time. Prints a table. With AEXP_OTHER, another build (of another compiler) is held
# against it too: final figures within a tolerance.
# Usage: matrix.sh AEXP SOURCE [THREADS] [JOBS]   as '1 2 3 8' and '1 2'
set -eu
AEXP=$1 SOURCE=$2 threads=${3:-1 2 3 8} jobs=${4:-1 2}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"
kinds='lazy_sgd dropout phases sampled early_stop'

# runs FOLDER ARGUMENT...: all five into a folder; with -j beside each other.
runs() {
	into=$WORK/$1
	shift
	"$AEXP" run $files "$@" -q -o "$into" >/dev/null 2>"$WORK/err"
}

files=
for kind in $kinds; do
	write "$kind" "$WORK/$kind.cfg" openblas
	echo "name = \"$kind\";" >>"$WORK/$kind.cfg"
	files="$files $WORK/$kind.cfg"
done
runs calm -t 1 || { cat "$WORK/err"; exit 1; }

# row FOLDER WORDS: which of the five are the same.
row() {
	printf '%-24s' "$2"
	for kind in $kinds; do
		if same "$WORK/calm/$kind" "$WORK/$1/$kind" "$2, $kind" >"$WORK/why"; then
			printf ' %-12s' same
		else
			printf ' %-12s' DIFFERS
			failed=1
		fi
	done
	echo
}

printf '%-24s' ''
printf ' %-12s' $kinds
echo
for t in $threads; do
	for j in $jobs; do
		runs "t$t-j$j" -t "$t" -j "$j" || fail "$(cat "$WORK/err")"
		row "t$t-j$j" "-t $t -j $j"
		for moment in 0.05 0.15 0.3; do # more than one run is interrupted
			"$AEXP" run $files $often -t "$t" -j "$j" -q -o "$WORK/r$t-j$j" >/dev/null 2>&1 &
			child=$!
			sleep "$moment"
			kill -9 "$child" 2>/dev/null || true
			wait "$child" 2>/dev/null || true
		done
		runs "r$t-j$j" -t "$t" -j "$j" || fail "$(cat "$WORK/err")"
		runs "r$t-j$j" -t "$t" || true
		row "r$t-j$j" "-t $t -j $j, resumed"
	done
done

# Across compilers: every number of the last epoch within a thousandth.
if [ -n "${AEXP_OTHER-}" ]; then
	AEXP=$AEXP_OTHER
	runs other -t 1
	printf '%-24s' 'the other build'
	for kind in $kinds; do
		tail -n 1 "$WORK/calm/$kind"/*/history.jsonl | tr -c '0-9.e+\n-' ' ' >"$WORK/one"
		tail -n 1 "$WORK/other/$kind"/*/history.jsonl | tr -c '0-9.e+\n-' ' ' >"$WORK/two"
		gap=$(paste -d ' ' "$WORK/one" "$WORK/two" | awk '{ n = NF / 2; most = 0
			for (i = 1; i <= n; i++) { gap = $i - $(n + i); gap = gap < 0 ? -gap : gap; size = $i < 0 ? -$i : $i
				if (size > 0 && gap / size > most) most = gap / size } printf "%.1e", most }')
		printf ' %-12s' "$gap"
		awk -v gap="$gap" 'BEGIN { exit !(gap <= 1e-3) }' || fail "$kind: the other build differs by $gap"
	done
	echo
fi
[ -z "$failed" ]
