#!/bin/bash
# Five experiments, each with several numbers of threads and of runs beside each other, undisturbed and interrupted by
# SIGKILL on the way: the same bytes each time. Prints a table. With AEXP_OTHER, another build (of another compiler) is held
# against it too: figures within a tolerance of 1e-4.
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

# Across compilers: loss and validation error after two epochs of large batches. (With batches of two rows, as above, the last
# digit of a sum grows to the first digit of a loss within a few hundred steps: nothing could be held against anything.)
figures() {
	tail -n 1 "$1"/*/history.jsonl | sed 's/.*"loss":\([^}]*\)}.*"rmse":\([^,}]*\).*/\1 \2/'
}
if [ -n "${AEXP_OTHER-}" ]; then
	tame='-s train.batch=128 -s train.epochs=2'
	runs tame -t 1 $tame
	AEXP=$AEXP_OTHER
	runs other -t 1 $tame
	printf '%-24s' 'the other build'
	for kind in $kinds; do
		gap=$(echo "$(figures "$WORK/tame/$kind") $(figures "$WORK/other/$kind")" | awk '{
			for (i = 1; i <= 2; i++) { gap = $i - $(i + 2); gap = (gap < 0 ? -gap : gap) / $i; if (gap > most) most = gap }
			printf "%.1e", NF == 4 ? most : 1 }')
		printf ' %-12s' "$gap"
		awk -v gap="$gap" 'BEGIN { exit !(gap <= 1e-4) }' || fail "$kind: the other build differs by $gap"
	done
	echo
fi
[ -z "$failed" ]
