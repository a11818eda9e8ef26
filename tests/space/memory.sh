#!/bin/bash
# What `aexp plan` says that a run takes, held against what it took: memory at its peak, the finished folder, a checkpoint, the
# cache. Networks of several kinds, early stop, copies that a diverged training goes back to, items as rows, a model.
# Usage: memory.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
unset MALLOC_PERTURB_ # as meson sets it: it touches all that is allocated, and what is allocated to be aligned
failed=
fail() {
	echo "$*"
	failed=1
}
number() { sed -n "s/.*\"$1\": \([0-9.e+]*\).*/\1/p" "$2" | head -1; }

# holds WHAT PLANNED GOT LEAST MOST: the planned figure is so many times what was measured.
holds() {
	awk -v planned="$2" -v got="$3" -v least="$4" -v most="$5" -v what="$1" 'BEGIN {
		printf "%s: planned %.1f MB, measured %.1f MB: %.2f\n", what, planned / 1e6, got / 1e6, planned / got
		exit !(got > 0 && planned >= least * got && planned <= most * got) }' || failed=1
}

# compare NAME ARGUMENT...
compare() {
	name=$1
	shift
	"$AEXP" plan "$@" --json -o "$WORK/$name" >"$WORK/plan" || { fail "$name: the plan fails"; return; }
	"$AEXP" run "$@" -q -o "$WORK/$name" >/dev/null || { fail "$name: the run fails"; return; }
	folder=$(dirname "$(find "$WORK/$name" -name metrics.json)")
	# The kernel counts pages of mapped files, and memory that was touched once, so the two are never the same.
	holds "$name, memory" "$(grep '"memory"' "$WORK/plan" | sed 's/.*"most": \([0-9.e+]*\).*/\1/')" \
		"$(number peak_memory_bytes "$folder/run.json")" 0.9 1.45
	holds "$name, files" "$(number files "$WORK/plan")" "$(cat "$folder"/* | wc -c)" 1 4
	cache=$(find "$WORK/$name" -name '*.data')
	[ -z "$cache" ] || holds "$name, cache" "$(number cache "$WORK/plan")" "$(wc -c <"$cache")" 0.9 1.1
}

cat >"$WORK/wide.cfg" <<'ENDE'
seed = 5; backend = "openblas";
data: { source: { format = "synthetic"; users = 6000; items = 1000; ratings = 120000; };
	split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 2500; activation = "sigmoid"; }, { name = "score"; op = "dense"; units = "items"; } );
optimizer = "adam";
train: { epochs = 1; batch = 64; };
metrics = [ "rmse", "auc", "ndcg@10" ];
ENDE
compare wide "$WORK/wide.cfg"
compare copies "$WORK/wide.cfg" -s train.early_stop.metric=valid.rmse -s train.early_stop.patience=2 -s train.on_divergence=halve_rate
compare sgd "$WORK/wide.cfg" -s optimizer.kind=sgd -s optimizer.rate=0.01
compare items "$WORK/wide.cfg" -s data.rows=items -s graph.taste.units=400
compare all_rows "$WORK/wide.cfg" -s train.batch=0 -s graph.taste.units=500
compare refeed "$WORK/wide.cfg" -s train.refeed=1 -s graph.taste.units=200 -s train.batch=512
compare many "$WORK/wide.cfg" -s data.source.users=200000 -s data.source.ratings=1000000 -s graph.taste.units=16
sed '/^graph\|^optimizer\|^train/d' "$WORK/wide.cfg" | sed '$a model: { kind = "ease"; l2 = 10.0; };' >"$WORK/ease.cfg"
compare ease "$WORK/ease.cfg"
awk 'BEGIN { srand(3); for (u = 1; u <= 30000; u++) for (i = 1 + u % 7; i <= 500; i += 20 + (u * i) % 9) print u "," i "," 1 + int(5 * rand()) }' \
	>"$WORK/ratings.csv"
compare from_file "$WORK/wide.cfg" -s data.source.format=delimited -s data.source.path="$WORK/ratings.csv" -s data.source.header=false \
	-s graph.taste.units=100

# A checkpoint, by one that a kill leaves.
"$AEXP" run "$WORK/wide.cfg" -s train.epochs=50 -s train.checkpoint.share=1 -q -o "$WORK/killed" >/dev/null 2>&1 &
child=$!
for ((i = 0; i < 3000; i++)); do
	checkpoint=$(find "$WORK/killed" -name '*.ckpt' 2>/dev/null | head -1)
	[ -z "$checkpoint" ] || break
	sleep 0.02
done
kill -9 "$child"
wait "$child" 2>/dev/null || true
"$AEXP" plan "$WORK/wide.cfg" --json >"$WORK/plan"
holds checkpoint "$(number checkpoint "$WORK/plan")" "$(wc -c <"$(find "$WORK/killed" -name '*.ckpt' | head -1)")" 0.95 1.05
[ -z "$failed" ]
