#!/bin/sh
# Early stop counts the epochs that were evaluated: where only every third one is, no run ends before its metric was looked
# at, or at an epoch that was not evaluated. Usage: early.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

cat >"$WORK/small.cfg" <<'CFG'
data: { source: { format = "synthetic"; users = 400; items = 60; ratings = 5000; };
        split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 16; activation = "sigmoid"; },
         { name = "score"; op = "dense"; units = "items"; } );
optimizer: { kind = "adam"; rate = 0.03; };
train: { epochs = 90; batch = 64; early_stop: { metric = "valid.rmse"; }; };
metrics = [ "rmse" ];
CFG

last() { sed -n 's/.*"epoch": *\([0-9]*\).*/\1/p' "$1/history.jsonl" | tail -1; }
# How many evaluated epochs the run went on after its best one.
after() {
	best=$(sed -n 's/.*"best": {"epoch": \([0-9]*\).*/\1/p' "$1/metrics.json")
	[ "${best:-0}" -gt 0 ] || fail "$1: no best epoch: $(grep best "$1/metrics.json")"
	echo $((($(last "$1") - best) / $2))
}
for every in 1 3 10; do
	for patience in 1 2; do
		run "every-$every-$patience" "$WORK/small.cfg" -t 1 -s "train.evaluate_every=$every" -s "train.early_stop.patience=$patience"
		[ "$(last "$run")" -lt 90 ] || fail "every $every, patience $patience: it did not stop"
		[ $(($(last "$run") % every)) = 0 ] || fail "every $every: it ends at epoch $(last "$run"), which was not evaluated"
		[ "$(after "$run" "$every")" = "$patience" ] || fail "every $every, patience $patience: $(after "$run" "$every") evaluated epochs after the best"
	done
done
[ -z "$failed" ]
