#!/bin/bash
# Interruptions as a user sees them: exit codes and messages of SIGINT, SIGTERM and SIGHUP, readers that are gone, going on, --force, damaged and foreign
# checkpoints, what is left behind by a process that was killed after its last file, several runs, trials of a sweep that
# are stopped at rungs, and what a training leaves that diverged. Usage: signals.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"

write early_stop "$WORK/small.cfg" openblas
long='-s train.epochs=300 -s train.early_stop.patience=300'
"$AEXP" run "$WORK/small.cfg" $long -q -o "$WORK/calm" >/dev/null

# interrupt SIGNAL WORDS...: a run that gets the signal once it trains. Sets `code`; standard error in WORK/err.
interrupt() {
	signal=$1
	shift
	code=0
	: >"$WORK/err"
	"$AEXP" run "$WORK/small.cfg" $long $often -o "$WORK/broken" "$@" >"$WORK/out" 2>"$WORK/err" &
	child=$!
	for ((i = 0; i < 1000; i++)); do
		grep -qs 'epoch 1/\|going on' "$WORK/err" && break
		sleep 0.01
	done
	sleep 0.05
	kill -s "$signal" "$child"
	wait "$child" || code=$?
}
err() { grep -q -- "$1" "$WORK/err" || fail "standard error lacks \"$1\": $(cat "$WORK/err")"; }
again() {
	"$AEXP" run "$WORK/small.cfg" $long -o "$WORK/broken" "$@" >"$WORK/out" 2>"$WORK/err" || fail "it fails: $(cat "$WORK/err")"
}
folder() { dirname "$(find "$WORK/broken" -name experiment.cfg)"; }
resumed() { sed -n 's/.*"resumed_from_epoch": \([0-9]*\).*/\1/p' "$(folder)/run.json"; }

hup=HUP # where whoever started this ignores it, as nohup does, so do its children
[ $((0x$(awk '/^SigIgn/ { print $2 }' "/proc/$$/status") & 1)) = 0 ] || hup=
for signal in INT TERM $hup; do
	interrupt "$signal"
	[ "$code" = 130 ] || fail "SIG$signal: exit code $code"
	err 'interrupted in epoch [0-9]*'
	err 'The same command goes on from there'
	[ "$(find "$(folder)/checkpoint" -type f | wc -l)" = 2 ] || fail "not two checkpoints: $(ls "$(folder)/checkpoint")"
	[ -s "$(folder)/history.jsonl" ] || fail "no history of what there is"
	[ ! -e "$(folder)/metrics.json" ] || fail "metrics of an unfinished run"
done
err 'going on from a checkpoint of epoch'
again
[ "$(resumed)" -gt 0 ] || fail "resumed_from_epoch is $(resumed)"
same "$WORK/calm" "$WORK/broken" "interrupted three times" || true
rm -rf "$WORK/broken"
(trap '' HUP && often= && interrupt HUP && [ "$code" = 0 ]) || fail "SIGHUP ends what it was to ignore"
same "$WORK/calm" "$WORK/broken" "SIGHUP ignored" || true

# Who read the messages is gone: the run is not.
rm -rf "$WORK/broken"
"$AEXP" run "$WORK/small.cfg" $long -o "$WORK/broken" 2>&1 >/dev/null | head -n 1 >/dev/null || true
same "$WORK/calm" "$WORK/broken" "a lost reader" || true
rm -rf "$WORK/broken"
interrupt TERM
again

# A second signal ends it at once: the evaluation after an epoch is not waited for.
interrupt INT --force
again --force
[ "$(resumed)" = 0 ] || fail "--force went on from epoch $(resumed)"
same "$WORK/calm" "$WORK/broken" "--force" || true

# The newest checkpoint is damaged: the one before it. Both: from the beginning. Each is named in a line.
rm -rf "$WORK/broken"
interrupt KILL
newest=$(find "$(folder)/checkpoint" -name '*.ckpt' | sort | tail -1)
printf 'x' | dd of="$newest" bs=1 seek=1000 conv=notrunc 2>/dev/null
again
err "$newest: is damaged"
err 'going on from a checkpoint'
same "$WORK/calm" "$WORK/broken" "damaged" || true
rm -rf "$WORK/broken"
interrupt KILL
count=0 # two, or three where it was killed just before it dropped one
for file in "$(folder)"/checkpoint/*.ckpt; do
	: >"$file"
	count=$((count + 1))
done
again
[ "$(grep -c 'is no checkpoint' "$WORK/err")" = "$count" ] || fail "empty files: $(cat "$WORK/err")"
[ "$(resumed)" = 0 ] || fail "it went on from empty files"
same "$WORK/calm" "$WORK/broken" "empty" || true

# Killed after the last file, before what was needed on the way was removed.
mkdir "$(folder)/checkpoint"
touch "$(folder)/checkpoint/00000001.ckpt" "$(folder)/.tmp-1-0" "$(dirname "$(folder)")/.$(basename "$(folder)").lock"
mkdir "$(dirname "$(folder)")/.$(basename "$(folder)").1.tmp"
again
grep -q 'finished already' "$WORK/out" || fail "it ran again"
same "$WORK/calm" "$WORK/broken" "left behind" || true

# Another file is another run.
"$AEXP" run "$WORK/small.cfg" -s train.checkpoint.share=0 -q -o "$WORK/other" >/dev/null
"$AEXP" run "$WORK/small.cfg" -s train.checkpoint.share=0.5 -q -o "$WORK/other" | grep -q 'finished already' || fail "checkpoints enter the ID"
"$AEXP" run "$WORK/small.cfg" -s train.on_divergence=stop -q -o "$WORK/other" | grep -q 'finished already' || fail "a default enters the ID"
! "$AEXP" run "$WORK/small.cfg" -s train.on_divergence=halve_rate -q -o "$WORK/other" | grep -q 'finished already' || fail "halve_rate does not enter the ID"

# A training that diverges: where, and what it leaves.
code=0
"$AEXP" run "$WORK/small.cfg" $often -s optimizer.kind=sgd -s optimizer.rate=100 -s optimizer.schedule.kind=constant -s optimizer.schedule.warmup=3000 \
	-o "$WORK/diverged" >/dev/null 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "a divergence ends with $code"
err 'not finite in epoch [0-9]*, batch [0-9]*; .*the largest.* gradient there is [0-9.e+]*, of "[a-z]*\.[a-z]*"'
err 'halve_rate'
[ -z "$(find "$WORK/diverged" -name metrics.json -o -name model.safetensors -o -name '.*')" ] || fail "left: $(find "$WORK/diverged")"
[ -n "$(find "$WORK/diverged" -name '*.ckpt')" ] || fail "no good checkpoint is kept"

# A sweep with rungs, killed as a whole and in its trials: the decisions of one that nobody disturbed.
cat >"$WORK/sweep.cfg" <<'END'
extends = "base-openblas.cfg";
graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 16; activation = "sigmoid"; }, { name = "score"; op = "dense"; units = "items"; } );
optimizer: { kind = "adam"; rate = 0.01; };
train: { epochs = 27; checkpoint: { share = 1.0; minutes = 1e-9; }; };
sweep: { kind = "random"; trials = 9; objective = "valid.rmse"; early_stop: { kind = "asha"; };
	space: ( { key = "optimizer.rate"; range = [ 1e-4, 0.1 ]; scale = "log"; } ); };
END
"$AEXP" sweep "$WORK/sweep.cfg" -j 2 -q -o "$WORK/calm-sweep" >/dev/null 2>"$WORK/err" || fail "the sweep fails: $(cat "$WORK/err")"
RANDOM=3
for ((i = 0; i < 8; i++)); do
	"$AEXP" sweep "$WORK/sweep.cfg" -j 2 -q -o "$WORK/broken-sweep" >/dev/null 2>&1 &
	child=$!
	sleep "0.$(printf '%03d' $((RANDOM % 300 + 100)))"
	kill -9 "$child" 2>/dev/null || true
	wait "$child" 2>/dev/null || true
done
"$AEXP" sweep "$WORK/sweep.cfg" -j 2 -q -o "$WORK/broken-sweep" >/dev/null 2>"$WORK/err" || fail "the sweep fails: $(cat "$WORK/err")"
cmp "$(find "$WORK/calm-sweep" -name sweep.json)" "$(find "$WORK/broken-sweep" -name sweep.json)" || fail "another sweep"
(cd "$WORK/calm-sweep" && find . -name metrics.json | sort | xargs cksum) >"$WORK/calm.sums"
(cd "$WORK/broken-sweep" && find . -name metrics.json | sort | xargs cksum) >"$WORK/broken.sums"
cmp "$WORK/calm.sums" "$WORK/broken.sums" || fail "the runs of the sweep differ"
[ -z "$(find "$WORK/broken-sweep" -name checkpoint)" ] || fail "checkpoints are left: $(find "$WORK/broken-sweep" -name checkpoint)"
[ -z "$failed" ]
