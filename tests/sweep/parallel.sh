#!/bin/sh
# The same sweep gives the same trials and bytes whether trials run one by one or beside each other, and trials that were
# run by hand are found; a trial is the run that the same settings give by hand. Usage: parallel.sh AEXP SOURCE
set -eu
AEXP=$1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$2/tests/sweep/common.sh"

for kind in learning grid; do
	experiment "$WORK/$kind.cfg" "$(eval "echo \"\$$kind\"")"
	sweep "$kind-1" "$WORK/$kind.cfg" -j 1
	[ "$code" = 0 ] || { cat "$WORK/err"; exit 1; }
	sweep "$kind-3" "$WORK/$kind.cfg" -j 3 -t 1
	[ "$code" = 0 ] || { cat "$WORK/err"; exit 1; }
	same "$kind-1" "$kind-3"
	# again: nothing is run
	stamps "$kind-1" >"$WORK/before"
	sweep "$kind-1" "$WORK/$kind.cfg"
	stamps "$kind-1" >"$WORK/after"
	cmp "$WORK/before" "$WORK/after" || fail "$kind: a finished sweep was run again"
done

# by hand first: trial 1, and one that the sweep will stop early
one=$(grep -o '"trial": 1, .*' "$(result learning-1)")
set_of() {
	echo "$1" | sed 's/.*"set": {\([^}]*\)}.*/\1/' | tr ',' '\n' | sed 's/^ *"\([^"]*\)": "\([^"]*\)"$/\1=\2/'
}
stopped=$(grep '"stopped"' "$(result learning-1)" | head -1)
for line in "$one" "$stopped"; do
	arguments=
	for setting in $(set_of "$line"); do
		arguments="$arguments -s $setting"
	done
	"$AEXP" run "$WORK/learning.cfg" $arguments -q -o "$WORK/hand" >/dev/null
done
stamps hand >"$WORK/before"
[ "$(wc -l <"$WORK/before")" = 2 ] || fail "not two runs by hand"
sweep hand "$WORK/learning.cfg" -j 2
stamps hand >"$WORK/after"
while read -r line; do
	grep -qxF "$line" "$WORK/after" || fail "run again: $line"
done <"$WORK/before"
cmp "$(result learning-1)" "$(result hand)" || fail "runs by hand change the result"

# A stopped trial is the run that stops there by itself.
epochs=$(echo "$stopped" | sed 's/.*"epochs": \([0-9]*\).*/\1/')
id=$(echo "$stopped" | sed 's/.*"id": "\([^"]*\)".*/\1/')
arguments="-s train.stop_after=$epochs"
for setting in $(set_of "$stopped"); do
	arguments="$arguments -s $setting"
done
"$AEXP" run "$WORK/learning.cfg" $arguments -q -o "$WORK/alone" >/dev/null
for file in metrics.json model.safetensors history.jsonl loss.tsv experiment.cfg; do
	cmp "$WORK/alone/small/$id/$file" "$WORK/learning-1/small/$id/$file" || fail "$file of a stopped trial is another"
done
[ -z "$failed" ]
