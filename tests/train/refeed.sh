#!/bin/sh
# Re-fed outputs, from the outside: an experiment that is sound without them explodes with them and is stopped, in a
# re-fed batch; with its gradients clipped it runs to its end. What is reported of a run with them.
# Usage: refeed.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

# Stars as they are and an output that is not bounded: f(f(x)) grows by itself where the rate is high.
cat >"$WORK/high.cfg" <<'CFG'
seed = 7;
data: { source: { format = "synthetic"; users = 600; items = 50; ratings = 6000; };
        split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
graph: ( { name = "hidden"; op = "dense"; input = "ratings"; units = 32; activation = "selu"; },
         { name = "score"; op = "dense"; units = "items"; activation = "selu"; } );
optimizer: { kind = "sgd"; rate = 0.1; momentum = 0.9; };
train: { refeed = 1; epochs = 3; batch = 16; };
metrics = [ "mse" ];
CFG

run without "$WORK/high.cfg" -s train.refeed=0
! grep -q refed_loss "$run/history.jsonl" || fail "a re-fed loss, and nothing is re-fed"

code=0
"$AEXP" run "$WORK/high.cfg" -q -o "$WORK/high" >"$WORK/out" 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "exit code $code where the loss is not finite"
grep -q 'the loss is not finite in the re-fed batch of epoch [0-9]*, batch [0-9]*; the largest' "$WORK/err" || fail "$(cat "$WORK/err")"
grep -q 'Set optimizer.clip_norm' "$WORK/err" || fail "no hint: $(cat "$WORK/err")"
[ -z "$(find "$WORK/high" -name metrics.json)" ] || fail "metrics of a run that was stopped"

run clipped "$WORK/high.cfg" -s optimizer.clip_norm=1.0
[ "$(grep -c '"refed_loss":[0-9]' "$run/history.jsonl")" -eq 3 ] || fail "history.jsonl has not 3 re-fed losses"
"$AEXP" plan "$WORK/high.cfg" -s train.refeed=0 --json >"$WORK/plain.json"
"$AEXP" plan "$WORK/high.cfg" --json >"$WORK/refed.json"
flops() {
	grep -o '"flops": *[0-9.e+]*' "$1" | tail -n 1 | grep -o '[0-9.e+]*$'
}
below "$(flops "$WORK/plain.json")" "$(flops "$WORK/refed.json")" || fail "a plan that does not count the re-fed rows"
[ -z "$failed" ]
