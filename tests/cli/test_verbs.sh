#!/bin/sh
# The verbs from outside: help, did-you-mean, exit codes, listings that parse, a run that is found again.
# Usage: test_verbs.sh AEXP FOLDER   FOLDER holds good.cfg, a run of a moment.
set -eu
. "$(dirname "$0")/common.sh"
# --- help ---
run 0 --version
grep -qE '^aexp [0-9]+\.[0-9]+\.[0-9]+' "$work/out" || fail "--version says: $(cat "$work/out")"
verbs='run plot figure verify compare plan data schema list show recommend predict export sweep trial'
for word in help --help -h; do
	run 0 "$word"
	no_err
	for verb in $verbs; do
		grep -qE "^ +$verb " "$work/out" || fail "$last: lacks $verb"
	done
done
for verb in $verbs; do
	run 0 "$verb" --help
	out "usage: aexp $verb"
	no_err
	cp "$work/out" "$work/help"
	run 0 help "$verb"
	cmp -s "$work/out" "$work/help" || fail "help $verb is not $verb --help"
done

# --- usage ---
run 2
err 'usage: aexp COMMAND'
no_out
run 2 rum
err 'unknown command "rum"'
err 'Did you mean "run"?'
no_out
run 2 help plann
err 'Did you mean "plan"?'
for verb in run compare plan data show; do
	run 2 "$verb"
	err "usage: aexp $verb"
done
run 2 list more
err 'too many arguments'
run 2 plan "$good" -j 2
err 'only -j 1'
run 2 list -o ''
err 'option -o wants a value'
run 2 schema --json
err 'schema has no --json'
run 2 run "$good" --no-such-option
err 'unknown option "--no-such-option"'
run 2 run "$good" --jsn
err 'Did you mean "--json"?'
run 2 list --force
err 'list has no --force'
err 'It is an option of run, verify'
no_out
run 2 run "$good" -t 0
err '"0" is no whole number from 1 to 1024, as option -t wants one'
run 2 run "$good" -t2000
err '"2000" is no whole number'
run 2 run "$good" -s
err 'option -s wants a value'
run 2 run "$good" --json=yes
err 'unknown option "--json"'
run 0 schema --help
out '--markdown'
! grep -qF -- '--force' "$work/out" || fail "schema --help names an option that schema has not"
run 0 schema -q -- ops
out 'dense'

# --- schema ---
run 0 schema
for key in seed data.split graph.NAME.op train.early_stop.patience; do
	grep -q "^$key " "$work/out" || fail "schema lacks $key"
done
for word in ops:dense losses:masked_mse optimizers:adadelta metrics:ndcg formats:movielens-100k splits:leave_one_out \
	activations:sigmoid initializers:glorot_uniform backends:openblas; do
	run 0 schema "${word%%:*}"
	out "${word#*:}"
	no_err
done
run 2 schema lossez
err 'Did you mean "losses"?'

# --- plan and data ---
run 0 plan "$good" -o "$results"
for word in taste score dense total; do out "$word"; done # 23 % of so few cells: the dense path is cheaper
run 0 plan "$good" -s graph.taste.path=sparse -s graph.score.path=sparse -o "$results"
for word in sparse "touched rows"; do out "$word"; done
run 0 plan "$good" -s graph.taste.units=5 --json -o "$results"
is_json
out '"name": "taste", "op": "dense", "width": 5, "parameters": 65'
no_err
run 0 data "$good" --json -o "$results"
is_json
out '"ratings": 160'
[ ! -e "$results" ] || fail "plan or data wrote into the results folder"

# --- nothing there yet ---
run 0 list -o "$results"
no_out
err 'no runs'
run 0 list --json -o "$results"
is_json
run 2 show good -o "$results"
err 'no run "good"'

# --- a run, found again ---
run 0 run "$good" -o "$results"
out 'item_mean on test'
folder=$(dirname "$(find "$results/good" -name metrics.json)")
id=${folder##*/}
for file in experiment.cfg metrics.json history.jsonl run.json model.safetensors loss.tsv loss.gp; do
	[ -s "$folder/$file" ] || fail "the run folder lacks $file"
done
[ -z "$(find "$results" -name '.*')" ] || fail "a hidden folder was left"
cp "$folder/metrics.json" "$work/first.json"
cp "$folder/run.json" "$work/first-run.json"
run 0 run "$good" -o "$results"
out 'finished already'
cmp -s "$folder/run.json" "$work/first-run.json" || fail "a finished run was written again"
run 0 run "$good" -o "$results" --json
cmp -s "$work/out" "$work/first.json" || fail "run --json of a finished run is not its metrics.json"
run 0 run "$good" -o "$results" --force -q
no_err
! grep -q 'finished already' "$work/out" || fail "--force did not run again"
! cmp -s "$folder/run.json" "$work/first-run.json" || fail "--force left run.json as it was"
cmp -s "$folder/metrics.json" "$work/first.json" || fail "the same experiment gave other metrics"
run 0 run "$folder/experiment.cfg" -o "$results"
out 'finished already'
run 0 run "$good" -o "$results" -t 2 --force --json
cmp -s "$work/out" "$work/first.json" || fail "two threads gave other metrics"
run 0 run "$good" -o "$results" -s seed=8 --json
! cmp -s "$work/out" "$work/first.json" || fail "another seed gave the same metrics"

# --- list and show ---
run 0 list -o "$results"
out "$id"
[ "$(grep -c '^good ' "$work/out")" = 2 ] || fail "list does not show two runs"
run 0 list --json -o "$results"
is_json
out "\"id\": \"$id\""
for name in "$folder" "good/$id" "$id" "$(echo "$id" | cut -c1-6)"; do
	run 0 show "$name" -o "$results"
	out 'test.mse'
	out 'seed = 7;'
done
run 0 show "good/$id" --json -o "$results"
cmp -s "$work/out" "$work/first.json" || fail "show --json is not metrics.json"
run 2 show good -o "$results" # two runs have the name
err "$id"

# --- repeats, folds and verify ---
results=$work/several
run 0 run "$good" -s repeats=3 -o "$results"
out '3 runs'
summary=$(find "$results/good" -name summary.json)
[ "$(find "$results/good" -name metrics.json | wc -l)" = 3 ] || fail "three repeats are not three runs"
for seed in 7 8 9; do
	grep -q "\"seed\": \"$seed\"" "$summary" || fail "the summary lacks seed $seed"
done
run 0 run "$good" -s seed=8 -o "$results"
out 'finished already'
run 0 run "$good" -s repeats=3 -o "$results"
out 'finished already'
cp "$summary" "$work/summary.json"
run 0 run "$good" -s repeats=3 -o "$results" --force -t 2
cmp -s "$summary" "$work/summary.json" || fail "the same repeats gave another summary"
run 0 run "$(dirname "$summary")/experiment.cfg" -o "$results" --json
cmp -s "$work/out" "$work/summary.json" || fail "run --json of a finished summary is not its summary.json"
run 0 run "$(dirname "$summary")/experiment.cfg" -o "$results" --force --json
cmp -s "$work/out" "$work/summary.json" || fail "the summary's experiment.cfg gives other runs"
run 0 list -o "$results"
out '3 runs'
run 0 run "$good" -s 'data.split={kind="kfold";folds=2;}' -o "$results"
out '2 runs'

expect() { printf 'extends = "%s";\nexpect: ( %s );\n' "$good" "$1" >"$work/card.cfg"; }
expect '{ metric = "test.mse"; at_most = 1.0; published = 0.25; source = "a paper"; }'
run 0 verify "$work/card.cfg" -s name=good -s repeats=3 -o "$results" -q
out 'ok       good  test.mse'
out 'published 0.25  (a paper)'
out '3 runs'
out ' s of training, in 3 runs'
run 0 verify "$work/card.cfg" -s name=good -s repeats=3 -o "$results" -q --json
is_json
out '"train_seconds": 0.'
expect '{ metric = "test.mse"; value = 5.0; tolerance = 0.1; }, { metric = "train.loss"; at_least = 0.0; }'
run 1 verify "$work/card.cfg" "$good" -o "$results" -q
out 'MISSED'
out '1 ok, 1 missed, 0 without data, 0 failed'
printf 'data: { source: { format = "delimited"; path = "${AEXP_NOT_SET}/x"; }; obtain = "Fetch it."; };\n' >"$work/lacks.cfg"
printf 'extends = "%s";\n' "$good" >>"$work/lacks.cfg"
run 3 verify "$work/lacks.cfg" "$work/card.cfg" -o "$results" -q
out 'no data  lacks'
out '1 ok, 1 missed, 1 without data, 0 failed'
err 'Fetch it.'
printf 'extends = "%s";\ndata: { source: { format = "delimited"; path = "%s"; }; };\n' "$good" "$work/none" >"$work/lacks.cfg"
run 3 verify "$work/lacks.cfg" -o "$results" -q
out '0 ok, 0 missed, 1 without data, 0 failed'
run 2 verify "$work/card.cfg" -s train.epochs=0 -o "$results"
no_out

# --- compare ---
results=$work/compared
# made OPTION...: runs good.cfg and says its ID, or that of its summary
made() {
	run 0 run "$good" -s 'metrics=[ "rmse", "ndcg@3" ]' -o "$results" -q --json "$@"
	id=$(sed -n 's/^[[:blank:]]*"id": "\([0-9a-f]*\)".*/\1/p' "$work/out" | tail -n 1)
}
made
one=$id
made -s train.epochs=4 -s graph.taste.units=3
other=$id
run 0 compare "$one" "$other" -o "$results"
no_err
out 'train.epochs'
out 'graph.taste.units'
grep -qE '^test\.ndcg@3 .* [0-9]+ users' "$work/out" || fail "$last: no test over users"
! grep -qF 'graph.taste.op' "$work/out" || fail "$last: lists what does not differ"
run 0 compare "$one" "$other" -o "$results" --json
is_json
out '"train.epochs": ["1", "4"]'
out '"metric": "test.rmse"'
out '"test": "users"'
run 0 compare "$one" "$other" -o "$results" --markdown
out '| `train.epochs` | 1 | 4 |'
run 0 compare "$one" "$one" -o "$results" --json
out '"difference": 0,'
made -s data.rows=items -s data.split.seed=9
run 0 compare "$one" "$id" -o "$results" --json # the same protocol, another split: nothing to pair
out '"test": ""'
made -s data.split.test=0.3
run 2 compare "$one" "$id" -o "$results"
err 'answer different questions'
err 'data.split.test'
no_out
run 0 compare "$one" "$id" -o "$results" --force --json
out '"test": ""'
made -s repeats=3
first=$id
made -s repeats=3 -s train.epochs=2
run 0 compare "$first" "$id" -o "$results" --json
out '"test": "seeds", "pairs": 3'
made -s repeats=2 -s seed=100
run 0 compare "$first" "$id" -o "$results" --json
out '"test": "welch", "pairs": 5'
run 0 compare "$one" "$other" -o "$results" --latex
out '\texttt{train.epochs} & 1 & 4 \\'
[ "$(grep -c '^.begin{tabular}' "$work/out")" = 2 ] || fail "$last: not two tables"
run 0 compare "$one" "$other" -o "$results" --csv
out 'train.epochs,1,4'
run 2 compare "$one" "$other" -o "$results" --csv --json
err 'in one form only'
run 2 compare "$one" none -o "$results"
err 'no run "none"'
run 2 compare "$one" -o "$results"
err "no sweep \"$one\""
exit "$failed"
