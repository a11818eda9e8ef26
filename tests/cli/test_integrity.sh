#!/bin/bash
# aexp verify --integrity: a run that is whole, and one in which each file in turn has a byte changed, is another run's, or is
# gone; changed data; summaries; what older versions left; pictures that were drawn again.
# Usage: test_integrity.sh AEXP FOLDER
set -u
. "$(dirname "$0")/common.sh"

mkdir "$work/data"
cp -r "$(dirname "$good")"/. "$work/data/"
cat >"$work/data/own.cfg" <<'END'
extends = "good.cfg";
name = "own";
data: { source: { format = "delimited"; path = "own.csv"; }; split: { kind = "ratio"; valid = 0.2; test = 0.2; }; };
metrics = [ "rmse", "ndcg@10" ];
train: { epochs = 2; };
END
awk 'BEGIN { srand(5); print "user,item,rating"
	for (u = 1; u <= 40; u++) for (i = 1 + u % 3; i <= 20; i += 1 + (u * i) % 4) print u "," i "," 1 + int(5 * rand()) }' >"$work/data/own.csv"
always="-o $results"
run 0 run "$work/data/own.cfg" -q
whole=$(dirname "$(find "$results" -name metrics.json)")
[ -f "$whole/metrics.json" ] || exit 1
verify() { run "$1" verify --integrity "$work/copy"; }
fresh() {
	rm -rf "$work/copy"
	cp -r "$whole" "$work/copy"
}

run 0 verify --integrity own
out ' 0 changed, 0 missing, 0 unknown, 0 without data'
for file in experiment.cfg history.jsonl model.safetensors users.tsv loss.tsv loss.gp graph.dot metrics.json run.json weights data; do
	out "ok       $whole/$file"
done
run 0 verify --integrity own --json
is_json

# A byte of each file, somewhere in the middle. What only its hash knows is told as well as what others contradict.
for file in $(cd "$whole" && ls); do
	fresh
	at=$(($(wc -c <"$whole/$file") * 2 / 3))
	old=$(dd if="$whole/$file" bs=1 skip=$at count=1 2>/dev/null | od -An -tu1 | tr -d ' \n')
	printf "\\$(printf '%03o' $((old ^ 1)))" | dd of="$work/copy/$file" bs=1 seek=$at conv=notrunc 2>/dev/null
	"$aexp" verify --integrity "$work/copy" -o "$results" >"$work/out" 2>"$work/err" && fail "a changed $file is not noticed"
	out "CHANGED  $work/copy/$file"
	fresh
	rm "$work/copy/$file"
	case $file in
	metrics.json) run 2 verify --integrity "$work/copy" ;;
	experiment.cfg) run 3 verify --integrity "$work/copy" ;;
	*) verify 1 ;;
	esac
	[ "$file" = metrics.json ] || out "MISSING  $work/copy/$file"
done

# What is consistent in itself, but another run's.
always="-o $work/second"
run 0 run "$work/data/own.cfg" -s seed=8 -q
always="-o $results"
other=$(dirname "$(find "$work/second" -name metrics.json)")
swapped() {
	fresh
	cp "$other/$1" "$work/copy/$1"
	verify 1
	out "CHANGED  $work/copy/$2"
}
swapped model.safetensors 'model.safetensors: its weights are not those of the hash in metrics.json'
swapped history.jsonl 'history.jsonl: its epochs are not those of metrics.json'
swapped experiment.cfg "experiment.cfg: with the data's fingerprint it gives another ID than metrics.json has"
swapped run.json "run.json: it is another run's than metrics.json"
swapped metrics.json 'metrics.json: its bytes are not those of the hash in run.json'
out "CHANGED  $work/copy/data: it is split otherwise than metrics.json says"

# The data.
fresh
echo 41,1,4 >>"$work/data/own.csv"
verify 1
out "CHANGED  $work/copy/data: its fingerprint is not that in metrics.json"
mv "$work/data/own.csv" "$work/data/away.csv"
verify 3
out "no data  $work/copy/data"
err 'own.csv'

# A run of an older version has no hashes: that is said, and what can be told without is still told.
always="-o $work/made"
run 0 run "$good" -q
always="-o $results"
old=$(dirname "$(find "$work/made" -name metrics.json)")
sed -i '/^\t"files": {/,$d' "$old/run.json"
sed -i '$s/,$//' "$old/run.json"
echo '}' >>"$old/run.json"
run 0 verify --integrity "$old"
out "unknown  $old/run.json: it holds no hashes: an older version wrote it"
cp "$other/model.safetensors" "$old/"
run 1 verify --integrity "$old"
out 'its weights are not those of the hash in metrics.json'

# Pictures that are drawn again are as good as those before, whoever draws them; other files keep their hashes.
if command -v gnuplot >/dev/null; then
	always="-o $work/drawn"
	run 0 run "$good" -s seed=9 -q
	drawn=$(dirname "$(find "$work/drawn" -name metrics.json)")
	echo >>"$drawn/loss.svg"
	run 1 verify --integrity "$drawn"
	echo >>"$drawn/users.tsv"
	run 0 plot "$drawn"
	run 1 verify --integrity "$drawn"
	out "ok       $drawn/loss.svg"
	out "CHANGED  $drawn/users.tsv"
	out ' 1 changed, 0 missing, 0 unknown'
fi

# Several runs as one.
always="-o $work/several"
run 0 run "$good" -s repeats=2 -q
summary=$(dirname "$(find "$work/several" -name summary.json)")
run 0 verify --integrity "$summary"
out "ok       $summary/summary.json"
[ "$(grep -c 'metrics.json$' "$work/out")" = 2 ] || fail "not both runs of a summary were looked at"
sed -i 's/"mean": [0-9.]*/"mean": 0.5/' "$summary/summary.json"
run 1 verify --integrity "$summary"
out "CHANGED  $summary/summary.json: its runs give other figures"
rm -r "${work:?}/several/good/$(sed -n '0,/"id": "\([0-9a-f]*\)", "seed"/s/.*"id": "\([0-9a-f]*\)", "seed".*/\1/p' "$summary/summary.json" | head -1)"
run 1 verify --integrity "$summary"
out "MISSING  $summary/summary.json"

# What is no finished run.
always="-o $results"
run 2 verify --integrity not-there
mkdir -p "$work/empty/one"
cp "$whole/experiment.cfg" "$work/empty/one/"
run 2 verify --integrity "$work/empty/one"
err 'is not finished'
exit $failed
