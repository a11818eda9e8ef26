#!/bin/sh
# list by conditions, in any order and form; compare of a sweep: trials, importance, the best against the runner-up.
# Usage: test_list.sh AEXP FOLDER   FOLDER holds good.cfg, a run of a moment.
set -eu
. "$(dirname "$0")/common.sh"
always="-o $results"
not_out() { ! grep -qF -- "$1" "$work/out" || fail "$last: standard output holds: $1"; }
# ids A B...: the column of ids of a CSV listing, in order.
ids() {
	wanted=$*
	[ "$(sed 1d "$work/out" | tr -d '\r' | cut -d , -f 1 | tr '\n' ' ')" = "$wanted${wanted:+ }" ] ||
		fail "$last: gives $(cut -d , -f 1 "$work/out" | tr '\n' ' '), not $wanted"
}
# made OPTION...: runs good.cfg and says its ID, or that of its summary.
made() {
	run 0 run "$good" -s 'metrics=[ "rmse", "ndcg@3" ]' -q --json "$@"
	id=$(sed -n 's/^[[:blank:]]*"id": "\([0-9a-f]*\)".*/\1/p' "$work/out" | tail -n 1)
}
figure() { # ID FIGURE
	"$aexp" list -o "$results" --where "id=$1" --columns "id,$2" --csv | sed -n '2s/.*,//p' | tr -d '\r'
}

# --- list ---
made -s name=wide -s graph.taste.units=16
wide=$id
made -s name=narrow -s graph.taste.units=2 -s train.epochs=3
narrow=$id
made -s name=narrow -s graph.taste.units=2 -s graph.taste.activation=tanh -s optimizer=adam -s optimizer.rate=0.01
adam=$id
mkdir -p "$results/narrow/0begun"
cp "$results/narrow/$adam/experiment.cfg" "$results/narrow/0begun"

run 0 list -v
no_err
for word in "$wide" unfinished adam; do [ "$word" = adam ] || out "$word"; done
[ -s "$results/.index.sqlite" ] || fail "no index was left"
[ "$(wc -l <"$work/out")" = 5 ] || fail "$last: not four runs below a head"
run 0 list --where 'optimizer.rate<0.1' --columns id --csv
ids 0begun "$adam"
run 0 list --where 'optimizer.rate<0.1' --where 'test.rmse>0' --columns id --csv
ids "$adam"
run 0 list --where 'graph.taste.activation.kind=relu' --where 'graph.taste.units>=16' --columns id --csv
ids "$wide"
run 0 list --where 'graph.taste.activation=tanh' --where 'optimizer=adam' --where finished=true --columns id --csv
ids "$adam"
run 0 list --where 'name=n*' --where 'epochs!=1' --columns id --csv
ids "$narrow"
run 0 list --where 'finished=false' --columns id --csv
ids 0begun
run 0 list --where 'optimizer.beta_1>0' --where 'kind=run' --limit 1 --columns id --csv
ids 0begun
run 0 list --where 'name=none' --csv --columns id
ids
run 0 list --where 'name=none'
no_out
err 'none of the 4 runs'
run 0 list --where 'name=none' --json
is_json
run 0 list --sort graph.taste.units --columns=id,graph.taste.units --csv --reverse --limit=1
ids "$wide"
run 0 list --sort test.rmse --columns id,test.rmse --csv
sed 1d "$work/out" | tr -d '\r' | cut -d , -f 2 | sed '/^$/d' >"$work/figures"
sort -g "$work/figures" | cmp -s - "$work/figures" || fail "$last: not from the smallest on: $(cat "$work/figures")"
[ "$(tail -n 1 "$work/out" | tr -d '\r')" = 0begun, ] || fail "$last: what has no figure is not the last"
run 0 list --sort test.ndcg@3 --columns id,test.ndcg@3 --csv
sed 1d "$work/out" | tr -d '\r' | cut -d , -f 2 | sed '/^$/d' >"$work/figures"
sort -gr "$work/figures" | cmp -s - "$work/figures" || fail "$last: not from the largest on"
run 0 list --sort optimizer.rate --where 'graph.taste.units=2' # what was asked for is shown
out 'optimizer.rate'
out 'graph.taste.units'
run 0 list --columns id,optimizer.rate --json
is_json
out "\"id\": \"$adam\", \"optimizer.rate\": 0.01"
run 0 list --json
is_json
out '"kind": "run", "finished": false'
run 0 list --markdown --columns name,id
out '| name | id |'
run 0 list --latex --columns name,best_metric
out 'name & best\_metric \\'
out '\toprule'

run 2 list --where 'graph.taste.unit=2'
err 'unknown key "graph.taste.unit"'
err 'Did you mean "graph.taste.units"?'
no_out
run 2 list --where 'graph.tast.units=2'
err 'unknown key "graph.tast.units"'
run 2 list --sort optimizer.rat
err 'Did you mean "optimizer.rate"?'
run 2 list --columns id,tset.rmse
err 'unknown key "tset.rmse"'
run 2 list --where 'optimizer.rate'
err '"optimizer.rate" is no condition'
err 'hint:'
run 2 list --limit 0
err 'no whole number from 1'
run 2 list --json --csv
err 'in one form only'

# What is there now counts, whatever the index holds.
rm -r "$results/narrow/0begun"
echo 'no database' >"$results/.index.sqlite"
run 0 list -v
no_err
not_out unfinished
rm "$results/.index.sqlite"
mkdir "$results/.index.sqlite"
run 0 list
no_err
out "$adam"
run 0 list -v
err 'the index'
err 'is not used'
rmdir "$results/.index.sqlite"

# --- compare of a sweep ---
# sweep NAME TRIALS BEST: the folder of one over units and rate, with the given trials.
sweep() {
	mkdir -p "$results/$1/5eeb$1"
	cp "$results/wide/$wide/experiment.cfg" "$results/$1/5eeb$1"
	cat >"$results/$1/5eeb$1/sweep.json" <<-END
		{ "schema": "aexp.sweep/1", "experiment": "$1", "id": "5eeb$1", "kind": "grid", "early_stop": null, "protocol": null,
		  "objectives": [ { "metric": "valid.rmse", "goal": "min" } ],
		  "axes": [ { "key": "graph.taste.units", "values": [ "2", "3", "4", "5", "6" ] },
		            { "key": "optimizer.rate", "low": 0.1, "high": 1.0, "scale": "log", "integer": false } ],
		  "trials": [ $2 ], "counts": {}, "best": [ $3 ] }
	END
}
trial() { # NUMBER STATUS ID UNITS RATE VALUE
	printf '{ "trial": %s, "status": "%s", "id": "%s", "set": { "graph.taste.units": "%s", "optimizer.rate": "%s" }, "objectives": [ %s ], "epochs": 1, "reason": %s }' \
		"$1" "$2" "$3" "$4" "$5" "${6:-null}" "${7:-null}"
}
trials= number=0
for units in 2 3 4 5 6; do
	for rate in 0.2 0.9; do
		made -s name=few -s optimizer=adadelta -s graph.taste.units=$units -s "optimizer={kind=\"adadelta\";rate=$rate;}"
		number=$((number + 1))
		echo "$id $number" >>"$work/numbers"
		trials="$trials$(trial $number finished "$id" $units $rate "$(figure "$id" valid.rmse)"),"
	done
done
trials="$trials$(trial 11 stopped 0123 4 0.5 0.9),$(trial 12 failed none 4 0.6 '' '"out of memory"')"
best=$("$aexp" list -o "$results" --where name=few --sort valid.rmse --columns id --csv --limit 2 | sed 1d | tr -d '\r' | tr '\n' ' ')
second=${best#* }
second=${second% } best=${best%% *}
sweep few "$trials" "$(sed -n "s/^$best //p" "$work/numbers")"
for name in "$results/few/5eebfew" few/5eebfew 5eeb few; do
	run 0 compare "$name"
	no_err
	out '12 trials: 10 finished, 1 stopped early, 1 failed'
	out 'fANOVA of valid.rmse over 10 finished trials'
	out 'out of memory'
	out "best $best against runner-up $second: tested over users alone"
	grep -qE "^test.rmse +$second .* [0-9]+ users$" "$work/out" || fail "$last: no test over users"
done
grep -oE ' (best|finished|stopped|failed) +[0-9-]' "$work/out" | tr -d ' 0-9-' | tr '\n' ' ' >"$work/order"
grep -qE '^best (finished ){9}stopped failed $' "$work/order" || fail "$last: the trials' order is $(cat "$work/order")"
run 0 compare few --limit 3
out '9 more (--limit)'
run 0 compare few --json
is_json
out '"counts": {"finished": 10, "stopped": 1, "failed": 1}'
out '"method": "fANOVA"'
out '"keys": ["graph.taste.units", "optimizer.rate"]'
out "\"best\": \"$best\""
out '"test": "users"'
cp "$work/out" "$work/first"
run 0 compare few --json
cmp -s "$work/out" "$work/first" || fail "the same sweep was compared otherwise"
run 0 compare few --csv
err 'fANOVA of valid.rmse'
not_out 'fANOVA'
out 'graph.taste.units,optimizer.rate,'
run 0 compare few --latex
out '% fANOVA of valid.rmse'
[ "$(grep -c '^.begin{tabular}' "$work/out")" = 3 ] || fail "$last: not three tables"
run 0 compare few --markdown
out '| `graph.taste.units` | `optimizer.rate` |'
run 0 list --where kind=sweep
out '12 trials'
run 0 show few/5eebfew --json
out '"aexp.sweep/1"'

# Too few of them, and repeats.
trials=
for units in 2 3; do
	made -s name=repeated -s repeats=3 -s graph.taste.units=$units
	trials="$trials${trials:+,}$(trial $units finished "$id" $units 1.0 "$(figure "$id" valid.rmse)")"
done
sweep repeated "$trials" 2
run 0 compare 5eebrepeated
out 'fANOVA of valid.rmse: fewer than 8 finished trials'
out 'tested over their repeats'
grep -qE "^valid.rmse .* 3 seeds$" "$work/out" || fail "$last: no test over seeds"
sweep lone "$(trial 1 finished 0abc 2 1.0 0.5)" 1
run 0 compare lone
out 'best against runner-up: there are no two finished trials'
sweep gone "$(trial 1 finished 0abc 2 1.0 0.5),$(trial 2 finished 0abd 2 1.0 0.6)" 1
run 0 compare gone
out 'is not finished'
run 2 compare "$wide"
err "no sweep \"$wide\""
err 'two runs or more'
run 2 compare "$wide" 5eebfew
err 'is a sweep, not a run'
rm "$results/lone/5eeblone/sweep.json"
: >"$results/lone/5eeblone/given.cfg"
run 2 compare lone
err 'is not finished'
run 0 list --where kind=sweep --where finished=false --columns id --csv
ids 5eeblone
echo '{}' >"$results/gone/5eebgone/sweep.json"
run 3 compare gone
err 'not what a sweep leaves'
exit "$failed"
