#!/bin/sh
# Trials that diverge or crash are failed trials with their reasons, the others finish, exit code 1; what is wrong in a trial is
# found before the first one runs. Usage: failures.sh AEXP SOURCE
set -eu
AEXP=$1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$2/tests/sweep/common.sh"

experiment "$WORK/diverges.cfg" 'sweep: { objective = "valid.rmse"; space: ( { key = "optimizer.kind"; values = [ "sgd" ]; }, { key = "optimizer.rate"; values = [ 0.01, 1e6, 0.02 ]; } ); };'
sweep diverges "$WORK/diverges.cfg" -j 2
[ "$code" = 1 ] || fail "exit code $code where a trial diverges"
grep -q '"trial": 2, "status": "failed"' "$(result diverges)" || fail "trial 2 is not failed"
grep -q 'not finite' "$(result diverges)" || fail "the reason is not there"
grep -q '"finished": 2' "$(result diverges)" || fail "the other two did not finish"
grep -q 'trial 2 failed: .*not finite' "$WORK/out" || fail "the failure is not said"

# wrong FILE-PART TEXT: exit code 2, the text on standard error, and no run folder.
wrong() {
	experiment "$WORK/wrong.cfg" "$1"
	rm -rf "$WORK/wrong"
	sweep wrong "$WORK/wrong.cfg"
	[ "$code" = 2 ] || fail "exit code $code: $1"
	grep -qF "$2" "$WORK/err" || fail "\"$2\" is not in: $(cat "$WORK/err")"
	find "$WORK/wrong" -name metrics.json 2>/dev/null | grep . && fail "something was run: $1"
	return 0
}
wrong 'sweep: { objective = "valid.rmse"; space: ( { key = "optimizer.rate"; values = [ 0.1, -1.0 ]; } ); };' 'trial 2: '
wrong 'sweep: { objective = "valid.rmse"; space: ( { key = "graph.hiden.units"; values = [ 1, 2 ]; } ); };' 'Did you mean "hidden"?'
wrong 'sweep: { objective = "valid.rmse"; space: ( { key = "graph.hidden.units"; range = [ 2.0, 9.0 ]; } ); };' 'must be an integer'
wrong 'sweep: { kind = "tpe"; trials = 50; objective = "valid.rmse"; space: ( { key = "optimizer.beta_1"; range = [ 0.5, 2.0 ]; } ); };' 'optimizer.beta_1=2'
wrong 'sweep: { objective = "test.rmse"; space: ( { key = "optimizer.rate"; values = [ 0.1 ]; } ); };' 'Choose by the validation part'
wrong 'sweep: { objective = "valid.rmsee"; space: ( { key = "optimizer.rate"; values = [ 0.1 ]; } ); };' 'no objective'
wrong 'sweep: { kind = "gird"; objective = "valid.rmse"; space: ( { key = "optimizer.rate"; values = [ 0.1 ]; } ); };' 'Did you mean "grid"?'
wrong 'sweep: { objective = "valid.rmse"; space: ( { key = "data.split.valid"; values = [ 0.1, 0.0 ]; } ); };' 'there is no validation part'
wrong '' '"sweep" is missing'

# A budget of epochs: a trial that does not fit does not begin, whatever -j.
experiment "$WORK/budget.cfg" "$(echo "$grid" | sed 's/objective/budget: { epochs = 50; }; objective/')"
sweep budget-1 "$WORK/budget.cfg"
sweep budget-3 "$WORK/budget.cfg" -j 3
[ "$(grep -c '{"trial": ' "$(result budget-1)")" = 5 ] || fail "not 5 trials of 9 epochs in a budget of 50"
same budget-1 budget-3

# A budget of seconds: what has begun ends, no more begins, and the words say how many there were.
experiment "$WORK/clock.cfg" "$(echo "$grid" | sed 's/objective/budget: { seconds = 0.01; }; objective/')"
sweep clock "$WORK/clock.cfg"
[ "$code" = 0 ] && grep -q ' 1 trials: 1 finished' "$WORK/out" || fail "a budget of seconds: $(cat "$WORK/out" "$WORK/err")"

# Several objectives: the set that nothing dominates.
experiment "$WORK/pareto.cfg" 'sweep: { kind = "tpe"; trials = 14; objective = [ "valid.rmse", "model.parameters" ]; space: ( { key = "graph.hidden.units"; values = [ 2, 4, 8, 16, 32 ]; }, { key = "optimizer.rate"; range = [ 0.001, 0.1 ]; scale = "log"; } ); };'
sweep pareto-1 "$WORK/pareto.cfg"
[ "$code" = 0 ] || fail "several objectives: $(cat "$WORK/err")"
sweep pareto-2 "$WORK/pareto.cfg" -j 2
same pareto-1 pareto-2
grep -q 'Pareto set' "$WORK/out" || fail "no Pareto set is shown"

# Repeats: a trial is the mean of its runs.
experiment "$WORK/repeats.cfg" 'repeats = 2;' "$(echo "$grid" | sed 's/0.003, 0.01, 0.03/0.01/; s/16, 32, 64, 128/32, 64/')"
sweep repeats "$WORK/repeats.cfg" -j 2
[ "$code" = 0 ] || fail "repeats: $(cat "$WORK/err")"
[ "$(find "$WORK/repeats" -name metrics.json | wc -l)" = 4 ] || fail "not 4 runs of 2 trials with 2 repeats"
[ "$(find "$WORK/repeats" -name summary.json | wc -l)" = 2 ] || fail "not a summary for each trial"
grep -q '"epochs": 18' "$(result repeats)" || fail "epochs of both repeats are not counted"
[ -z "$failed" ]
