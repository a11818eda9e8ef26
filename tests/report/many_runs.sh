#!/bin/sh
# A results folder of many finished runs, made up, in two experiments and with a sweep over all of them: list, show and
# compare find what is there; with a limit, each within that many seconds once the index is made.
# Usage: many_runs.sh AEXP COUNT [SECONDS]
set -eu
aexp=$(realpath "$1") count=$2 limit=${3-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results
failed=

fail() {
	echo "failed: $*"
	failed=1
}

awk -v count="$count" -v results="$results" 'BEGIN {
	for (i = 1; i <= count; i++)
		printf "%s/%s/%012x\n", results, i % 2 ? "odd" : "even", i
}' >"$work/folders"
mkdir -p "$results"
xargs mkdir -p <"$work/folders"

# Run i has units 1 + i % 64, rate 1e-4 i and test.rmse 0.8 + i / count; valid.rmse falls with the units.
awk -v count="$count" '{
	i = NR
	units = 1 + i % 64
	file = $0 "/experiment.cfg"
	printf("name = \"%s\";\nseed = %d;\nbackend = \"openblas\";\nrepeats = 1;\n", i % 2 ? "odd" : "even", i) >file
	printf("data: {\n\tsource: { format = \"movielens-1m\"; path = \"${AEXP_DATA}/ml-1m\"; };\n") >file
	printf("\tfilter: { min_user_ratings = 1; min_item_ratings = 1; };\n\trows = \"users\";\n") >file
	printf("\tsplit: { kind = \"ratio\"; seed = %d; valid = 0.05; test = 0.1; };\n};\n", i) >file
	printf("graph: (\n\t{ name = \"hidden\"; op = \"dense\"; input = \"ratings\"; path = \"auto\"; units = %d; " \
		"activation: { kind = \"%s\"; }; init: { kind = \"glorot_uniform\"; }; bias = true; l2 = 0.0; l2_bias = 0.0; },\n", \
		units, i % 3 ? "relu" : "sigmoid") >file
	printf("\t{ name = \"score\"; op = \"dense\"; input = \"hidden\"; path = \"auto\"; units = \"items\"; " \
		"activation: { kind = \"identity\"; }; init: { kind = \"glorot_uniform\"; }; bias = true; l2 = 0.0; l2_bias = 0.0; }\n);\n") >file
	printf("loss: { kind = \"masked_mse\"; targets = \"observed\"; negatives = 0; reduction = \"mean\"; };\n") >file
	printf("optimizer: { kind = \"adam\"; rate = %.4f; beta_1 = 0.9; beta_2 = 0.999; epsilon = 1e-08; };\n", i * 1e-4) >file
	printf("train: { epochs = 20; batch = 256; shuffle = true; refeed = 0; evaluate_every = 1; };\n") >file
	printf("metrics = [ \"rmse\", \"mae\" ];\n") >file
	close(file)
	file = $0 "/metrics.json"
	valid = 1 - units / 100
	printf("{\"schema\": \"aexp.metrics/1\", \"experiment\": \"%s\", \"id\": \"%012x\", \"seed\": \"%d\", \"backend\": \"openblas\", " \
		"\"protocol\": \"0123456789ab\", \"split\": \"s%d\", \"best\": {\"epoch\": 20, \"metric\": \"valid.rmse\", \"value\": %.6f}, ", \
		i % 2 ? "odd" : "even", i, i, i, valid) >file
	printf("\"final\": {\"train\": {\"loss\": 0.5, \"rmse\": 0.7, \"mae\": 0.5}, \"valid\": {\"rmse\": %.6f, \"mae\": 0.7}, " \
		"\"test\": {\"rmse\": %.6f, \"mae\": 0.7}}, \"epochs\": [", valid, 0.8 + i / count) >file
	for (e = 1; e <= 20; e++)
		printf("%s{\"epoch\": %d, \"train\": {\"loss\": %.6f}, \"valid\": {\"rmse\": %.6f, \"mae\": 0.7}}", e > 1 ? ", " : "", e, 1 / e, \
			valid + 1 / e) >file
	printf("]}\n") >file
	close(file)
}' "$work/folders"

# The sweep: each run is a trial.
sweep=$results/even/5feeb0000001
mkdir "$sweep"
echo 'name = "even";' >"$sweep/experiment.cfg"
awk -v count="$count" 'BEGIN {
	printf "{\"schema\": \"aexp.sweep/1\", \"experiment\": \"even\", \"id\": \"5feeb0000001\", \"kind\": \"random\", \"early_stop\": null, " \
		"\"protocol\": \"0123456789ab\", \"objectives\": [{\"metric\": \"valid.rmse\", \"goal\": \"min\"}], \"axes\": [" \
		"{\"key\": \"graph.hidden.units\", \"low\": 1, \"high\": 64, \"scale\": \"linear\", \"integer\": true}, " \
		"{\"key\": \"optimizer.rate\", \"low\": 1e-4, \"high\": %.4f, \"scale\": \"log\", \"integer\": false}], \"trials\": [", count * 1e-4
	for (i = 2; i <= count; i += 2)
		printf "%s\n{\"trial\": %d, \"status\": \"finished\", \"id\": \"%012x\", \"set\": {\"graph.hidden.units\": \"%d\", " \
			"\"optimizer.rate\": \"%.4f\"}, \"objectives\": [%.6f], \"epochs\": 20, \"reason\": null}", (i > 2 ? "," : ""), i / 2, i, \
			1 + i % 64, i * 1e-4, 1 - (1 + i % 64) / 100
	printf "], \"counts\": {\"finished\": %d, \"stopped\": 0, \"failed\": 0}, \"best\": [31]}\n", count / 2
}' >"$sweep/sweep.json"
find "$results" -depth -exec touch -d '1 hour ago' {} + # what is fresh is not kept in the index

# timed LIMIT ARGUMENT...: the seconds it takes, held against the limit where there is one; standard output into out.
timed() {
	most=$1
	shift
	start=$(date +%s%N)
	"$aexp" "$@" -o "$results" >"$work/out" 2>"$work/err" || fail "aexp $*: $(cat "$work/err")"
	end=$(date +%s%N)
	[ -n "$limit" ] || return 0
	awk -v took="$((end - start))" -v most="$most" -v what="aexp $*" 'BEGIN {
		printf "%7.3f s  %s\n", took / 1e9, what
		exit most != "" && took / 1e9 >= most + 0
	}' || fail "aexp $* took longer than $most s"
}
lines() {
	[ "$(wc -l <"$work/out")" -eq "$1" ] || fail "$last: $(wc -l <"$work/out") lines, not $1"
}
says() {
	grep -qF -- "$1" "$work/out" || fail "$last: lacks $1"
}

last='the first list'
timed '' list # makes the index
lines $((count + 2))
cp "$work/out" "$work/first"
last='list'
timed "$limit" list
cmp -s "$work/out" "$work/first" || fail "the index gives another list than the folders"
last='list --where'
timed "$limit" list --where 'optimizer.rate<=0.01' --where 'graph.hidden.activation.kind=relu' --where 'name=e*' --sort test.rmse --csv
lines $((1 + 34))
says 'even,000000000002,'
timed "$limit" list --where 'graph.hidden.units=64' --sort optimizer.rate --reverse --limit 1 --columns id,optimizer.rate
lines 2
timed "$limit" list --json
timed "$limit" list --markdown --sort graph.hidden.units --limit 10
last='show'
timed "$limit" show 000000000007
says 'seed = 7;'
timed "$limit" show even/000000000008
last='compare'
timed "$limit" compare 000000000007 00000000000a
says 'optimizer.rate'
last='compare SWEEP'
timed "$limit" compare 5feeb0000001 --limit 5
says 'fANOVA'
says 'graph.hidden.units'
last='list after a change'
rm -r "$results/odd/000000000005"
timed "$limit" list
lines $((count + 1))
[ -z "$failed" ]
