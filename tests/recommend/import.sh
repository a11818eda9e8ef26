#!/bin/sh
# Weights that a run begins with: evaluated as they are they give the figures of the run that they are from, and the
# same recommendations; trained on, they begin better than what is drawn. The ID goes by what the file holds, not by
# where it is, and what does not fit is refused before anything is written.
# Usage: import.sh AEXP SOURCE
set -eu
AEXP=$(realpath "$1") SOURCE=$(realpath "$2")/tests/recommend
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
fail() {
	echo "failed: $*"
	exit 1
}
# figures NAME: the metrics of its parts
figures() { sed -n '/"final"/,/"epochs"/p' "results/$1"/*/metrics.json | sed 's/"loss": [^,}]*//'; }
"$AEXP" run "$SOURCE/every-op.cfg" -q -s name=first >/dev/null
cp results/first/*/model.safetensors w.bin
"$AEXP" run "$SOURCE/every-op.cfg" -q -s name=taken -s weights.path=w.bin -s train.epochs=0 >/dev/null
figures first >first.figures
figures taken >taken.figures
grep -q 'ndcg@10' first.figures || fail "no figures"
cmp first.figures taken.figures || fail "imported weights are evaluated as something else"
grep -q '"epochs": *\[' results/taken/*/metrics.json || fail "no epochs"
echo '{"ratings": {"P0001": 5, "P0007": 4}}' >in
"$AEXP" recommend first --json <in >a
"$AEXP" recommend taken --json <in >b
cmp a b || fail "imported weights recommend something else"
"$AEXP" recommend taken --all --csv --top 2 >all
[ "$(wc -l <all)" -gt 100 ] || fail "lists of known users"

# Resolved files give the same ID, and so does the same file elsewhere; another hash is refused.
"$AEXP" run results/taken/*/experiment.cfg 2>/dev/null | grep -q 'finished already' || fail "the resolved file is another run"
mkdir else && cp w.bin else/x
"$AEXP" run "$SOURCE/every-op.cfg" -s name=taken -s weights.path=else/x -s train.epochs=0 | grep -q 'finished already' ||
	fail "the path entered the ID"
printf 'x' | dd of=w.bin bs=1 seek=$(($(wc -c <w.bin) - 9)) conv=notrunc 2>/dev/null
# refuse CODE MESSAGE ARGUMENT...
refuse() {
	wanted=$1 message=$2 code=0
	shift 2
	"$AEXP" run "$@" -q -s name=refused >out 2>err || code=$?
	[ "$code" = "$wanted" ] && grep -qF "$message" err || { cat err; fail "$*: exit code $code"; }
	[ ! -e results/refused ] || fail "$*: something was left"
}
refuse 3 'not those of the hash' results/taken/*/experiment.cfg
"$AEXP" recommend taken --all --csv --top 2 | cmp - all || fail "the weights' file is needed after the run"
refuse 2 '"epochs" is 0' "$SOURCE/every-op.cfg" -s train.epochs=0
refuse 3 'nowhere.bin' "$SOURCE/every-op.cfg" -s weights.path=nowhere.bin
refuse 3 'tensor "b.weight" is (12, 5), but node "b" wants (12, 6)' "$SOURCE/every-op.cfg" -s weights.path=else/x -s graph.b.units=6
refuse 2 'no meaning beside "model"' "$SOURCE/fitted.cfg" -s weights.path=else/x

"$AEXP" plan "$SOURCE/every-op.cfg" -s weights.path=else/x | grep -q 'weights begin with those of .*else/x' || fail "plan"
# Trained on from there.
"$AEXP" run "$SOURCE/every-op.cfg" -q -s name=more -s weights.path=else/x -s train.epochs=1 >/dev/null
"$AEXP" run "$SOURCE/every-op.cfg" -q -s name=drawn -s train.epochs=1 >/dev/null
loss() { sed -n 's/.*"train":{"loss":\([^,}]*\).*/\1/p' "results/$1"/*/history.jsonl | head -n 1; }
awk -v more="$(loss more)" -v drawn="$(loss drawn)" 'BEGIN { exit !(more + 0 > 0 && more < drawn) }' ||
	fail "training began with something else: $(loss more), $(loss drawn)"
