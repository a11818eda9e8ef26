#!/bin/sh
# -j for run and verify: the same runs, summaries and words as one after the other; a run that fails is named, the others
# finish. Usage: test_beside.sh AEXP FOLDER
set -eu
AEXP=$1
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
failed=
fail() {
	echo "$*"
	failed=1
}

for name in one two; do
	cat >"$WORK/$name.cfg" <<'END'
data: { source: { format = "synthetic"; users = 400; items = 60; ratings = 4000; }; split: { kind = "ratio"; valid = 0.1; test = 0.1; }; };
graph: ( { name = "hidden"; op = "dense"; input = "ratings"; units = 16; activation = "sigmoid"; },
	{ name = "score"; op = "dense"; units = "items"; } );
train: { epochs = 3; batch = 64; };
expect: ( { metric = "test.rmse"; at_most = 100.0; } );
END
done
echo 'repeats = 3;' >>"$WORK/one.cfg"
printf 'extends = "two.cfg";\noptimizer: { kind = "sgd"; rate = 1e6; };\n' >"$WORK/bad.cfg"
printf 'extends = "two.cfg";\ndata: { split: { kind = "kfold"; folds = 2; }; };\nexpect = ();\n' >"$WORK/folds.cfg"

"$AEXP" run "$WORK/one.cfg" "$WORK/two.cfg" "$WORK/folds.cfg" -q -o "$WORK/1" | sed "s|$WORK/1|R|" >"$WORK/out1"
"$AEXP" run "$WORK/one.cfg" "$WORK/two.cfg" "$WORK/folds.cfg" -q -o "$WORK/3" -j 3 | sed "s|$WORK/3|R|" >"$WORK/out3"
(cd "$WORK/1" && find . -name metrics.json -o -name summary.json | sort | xargs cksum) >"$WORK/sums1"
(cd "$WORK/3" && find . -name metrics.json -o -name summary.json | sort | xargs cksum) >"$WORK/sums3"
cmp "$WORK/sums1" "$WORK/sums3" || fail "other runs beside each other"
[ "$(wc -l <"$WORK/sums1")" = 8 ] || fail "not 3 + 1 + 2 runs and two summaries"
grep -q 'one .*3 runs' "$WORK/out3" || fail "the summary is not printed"

code=0
"$AEXP" run "$WORK/bad.cfg" "$WORK/two.cfg" -q -o "$WORK/4" -j 2 >"$WORK/out" 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "exit code $code where a run diverges"
grep -q 'bad failed: .*not finite' "$WORK/err" || fail "the failure is not named: $(cat "$WORK/err")"
[ "$(find "$WORK/4" -name metrics.json | wc -l)" = 1 ] || fail "the other did not finish"

code=0
"$AEXP" verify "$WORK/one.cfg" "$WORK/bad.cfg" "$WORK/two.cfg" -q -o "$WORK/5" -j 2 >"$WORK/out" 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "verify ends with $code"
grep -q '^ok *one' "$WORK/out" && grep -q '^FAILED *bad' "$WORK/out" && grep -q '^ok *two' "$WORK/out" || fail "$(cat "$WORK/out")"
[ -z "$failed" ]
