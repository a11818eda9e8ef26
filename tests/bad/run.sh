#!/bin/sh
# One bad input: runs NAME.cfg and holds the exit code, standard error and what is left on disk against NAME.expected.
# Its first line is the exit code, each other line a text that standard error must hold. NAME.sh, where there is one, is
# read first: it may make files in $WORK, set the command with `set --`, and say FINISHED=1 (the run must end well) or
# UNFINISHED=1 (it fails while it trains, so its folder may stay, without metrics.json).
# Usage: run.sh AEXP NAME
set -eu
AEXP=$(realpath "$1")
name=$2
cd "$(dirname "$0")"
WORK=$(mktemp -d)
export WORK
trap 'rm -rf "$WORK"' EXIT
FINISHED= UNFINISHED=
saved_path=$PATH
set -- "$AEXP" run "$name.cfg" -o "$WORK/results"
[ ! -f "$name.sh" ] || . "./$name.sh"
code=0
"$@" >"$WORK/out" 2>"$WORK/err" || code=$?
PATH=$saved_path

failed=
fail() {
	echo "$name: $*"
	failed=1
}
wanted=$(head -n 1 "$name.expected")
[ "$code" = "$wanted" ] || fail "exit code $code, expected $wanted"
tail -n +2 "$name.expected" >"$WORK/lines"
while IFS= read -r line; do
	grep -qF -- "$line" "$WORK/err" || fail "standard error lacks: $line"
done <"$WORK/lines"
for report in AddressSanitizer LeakSanitizer ThreadSanitizer 'runtime error'; do
	! grep -qF "$report" "$WORK/err" || fail "$report"
done
if [ -n "$FINISHED" ]; then
	for file in metrics.json loss.tsv loss.gp; do
		[ -n "$(find "$WORK/results" -name "$file")" ] || fail "no $file"
	done
elif [ -n "$UNFINISHED" ]; then
	left=$(find "$WORK/results" -name metrics.json -o -name model.safetensors -o -name 'loss.*' -o -name '.*')
	[ -z "$left" ] || fail "left behind: $left"
elif [ -d "$WORK/results" ]; then
	left=$(find "$WORK/results" -mindepth 1)
	[ -z "$left" ] || fail "left behind: $left"
fi
if [ -n "$failed" ]; then
	echo "standard error was:"
	cat "$WORK/err"
	exit 1
fi
