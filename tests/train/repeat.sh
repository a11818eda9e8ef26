#!/bin/sh
# The same experiment gives the same bytes, whatever the number of threads; another seed gives others; the resolved file
# gives the same ID and bytes; the reference backend gives the same metrics within a tolerance.
# Usage: repeat.sh AEXP SOURCE [CFG] [OVERRIDE...]   on top of a small beautybot.cfg, or of a file that extends it
set -eu
AEXP=$1 SOURCE=$2
shift 2
experiment=$SOURCE/experiments/beautybot.cfg
case ${1-} in *.cfg) experiment=$1 && shift ;; esac
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

# small FOLDER ARGUMENT...: the experiment of this test, with its overrides (none holds a blank).
small() {
	folder=$1
	shift
	run "$folder" "$experiment" $overrides "$@"
}
overrides="-s data.source.users=3000 -s data.source.items=60 -s data.source.ratings=6000 -s train.epochs=3"
for override; do
	overrides="$overrides -s $override"
done

# same RUN RUN: the four files that a contract with the user fixes to the byte, and the users' own values.
same() {
	for file in metrics.json model.safetensors history.jsonl loss.tsv users.tsv; do
		cmp "$1/$file" "$2/$file" || fail "$file of $1 and $2 differ"
	done
}

small one -t 1
one=$run
[ "$(wc -l <"$one/history.jsonl")" -eq 3 ] || fail "history.jsonl has not 3 lines"
for threads in 1 2 3; do
	small "threads$threads" -t "$threads"
	same "$one" "$run"
done

run resolved "$one/experiment.cfg" -t 2
[ "$(id_of "$run")" = "$(id_of "$one")" ] || fail "the resolved file has the ID $(id_of "$run"), not $(id_of "$one")"
same "$one" "$run"

small seed -s seed=2018
[ "$(id_of "$run")" != "$(id_of "$one")" ] || fail "another seed, and the same ID"
for file in metrics.json model.safetensors loss.tsv; do
	! cmp -s "$one/$file" "$run/$file" || fail "another seed, and the same $file"
done
hash() {
	grep -o '"weights_hash": "[^"]*"' "$1/metrics.json"
}
[ "$(hash "$one")" != "$(hash "$run")" ] || fail "another seed, and the same weights"

small reference -s backend=reference
[ "$(id_of "$run")" != "$(id_of "$one")" ] || fail "another backend, and the same ID"
final "$one/metrics.json" >"$WORK/openblas.txt"
final "$run/metrics.json" >"$WORK/reference.txt"
[ "$(wc -l <"$WORK/openblas.txt")" -ge 12 ] || fail "fewer than 12 final numbers: $(cat "$WORK/openblas.txt")"
paste -d ' ' "$WORK/openblas.txt" "$WORK/reference.txt" | awk -v most=1e-3 '
	{ size = $3 < 0 ? -$3 : $3; gap = $3 - $6; gap = gap < 0 ? -gap : gap }
	$1 != $4 || $2 != $5 || ($3 == "null") != ($6 == "null") || gap > most * size { print "openblas, reference:", $0; bad = 1 }
	END { exit bad }' || fail "the reference backend's metrics differ"
[ -z "$failed" ]
