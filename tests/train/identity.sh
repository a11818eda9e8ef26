#!/bin/sh
# What enters a run's ID and what does not: the name, the results folder, threads and paths do not; the data and the
# settings do. Usage: identity.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

mkdir "$WORK/here" "$WORK/elsewhere"
awk 'BEGIN { for (u = 1; u <= 60; u++) for (i = 1; i <= 12; i++) if ((u * 7 + i * 5) % 3) print u "\t" i "\t" 1 + (u * i) % 5 }' \
	>"$WORK/here/ratings.tsv"
cp "$WORK/here/ratings.tsv" "$WORK/elsewhere/other-name.txt"
cat >"$WORK/here/small.cfg" <<'CFG'
data: { source: { format = "delimited"; path = "ratings.tsv"; separator = "\t"; header = false; };
        split: { kind = "ratio"; valid = 0.1; test = 0.1; }; };
graph: ( { op = "dense"; input = "ratings"; units = 8; activation = "relu"; }, { op = "dense"; units = "items"; } );
loss = "masked_mse";
optimizer: { kind = "adam"; };
train: { epochs = 2; batch = 16; };
metrics = [ "mse" ];
CFG
cp "$WORK/here/small.cfg" "$WORK/elsewhere/renamed.cfg"
cfg=$WORK/here/small.cfg

run first "$cfg"
first=$run
weights_of() {
	grep -o '"weights_hash": "[^"]*"' "$1/metrics.json"
}
# stays FOLDER WHAT ARGUMENT...
stays() {
	folder=$1 what=$2
	shift 2
	run "$folder" "$@"
	[ "$(id_of "$run")" = "$(id_of "$first")" ] || fail "$what changes the ID"
	[ "$(weights_of "$run")" = "$(weights_of "$first")" ] || fail "$what changes the weights"
}
# changes FOLDER WHAT ARGUMENT...
changes() {
	folder=$1 what=$2
	shift 2
	run "$folder" "$@"
	[ "$(id_of "$run")" != "$(id_of "$first")" ] || fail "$what does not change the ID"
}
stays deep/er/results "another results folder" "$cfg"
stays named "another name" "$cfg" -s name=another
[ "$(basename "$(dirname "$run")")" = another ] || fail "the run does not lie under its name"
stays moved "a path" "$cfg" -s data.source.path="$WORK/elsewhere/other-name.txt"
for file in metrics.json model.safetensors; do
	cmp -s "$run/$file" "$first/$file" || fail "a path changes $file"
done
stays copied "another file of the same words" "$WORK/elsewhere/renamed.cfg" -s data.source.path="$WORK/here/ratings.tsv"
stays threads "the number of threads" "$cfg" -t 3
stays spelled "a default spelled out" "$cfg" -s graph.dense_1.bias=true -s train.shuffle=true
changes epochs "the number of epochs" "$cfg" -s train.epochs=1
changes units "a node's units" "$cfg" -s graph.dense_1.units=9
changes split "the split" "$cfg" -s data.split.test=0.2
sed '1s/[0-9]$/5/' "$WORK/here/ratings.tsv" >"$WORK/elsewhere/other-name.txt"
cmp -s "$WORK/here/ratings.tsv" "$WORK/elsewhere/other-name.txt" && { echo "the test's own data did not change"; exit 1; }
changes data "another rating" "$cfg" -s data.source.path="$WORK/elsewhere/other-name.txt"

# A finished run is reported, not run again; --force runs it, to the same bytes.
before=$(stat -c %i "$first/metrics.json")
"$AEXP" run "$cfg" -o "$WORK/first" >"$WORK/out" 2>&1
grep -q finished "$WORK/out" || fail "a finished run is not reported: $(cat "$WORK/out")"
[ "$(stat -c %i "$first/metrics.json")" = "$before" ] || fail "a finished run was run again"
cp "$first/metrics.json" "$WORK/metrics.json"
run first "$cfg" --force
cmp "$WORK/metrics.json" "$run/metrics.json" || fail "--force gives other metrics"
[ -z "$failed" ]
