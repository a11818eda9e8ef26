#!/bin/sh
# backend = "cuda" through the plug-in that is built for the host (cuda/shim): trainings against the reference backend,
# the same bytes in whatever order threads come, weights from backend to backend, and each way in which there is no card.
# Usage: cuda.sh AEXP SOURCE SHIM [all]   SHIM: the plug-in's folder; "all": more trainings, which take minutes
set -eu
AEXP=$1 SOURCE=$2
export AEXP_PLUGIN_PATH="$3" AEXP_SHIM_GUARD=1 # a host that touches memory of the device ends there
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

cat >"$WORK/small.cfg" <<'CFG'
data: { source: { format = "synthetic"; users = 150; items = 40; ratings = 1500; };
        buckets: { thresholds = [ 3.5 ]; values = [ 0.1, 1.0 ]; };
        split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
graph: (
  { name = "who"; op = "dense"; input = "user"; units = 6; activation = "relu"; },
  { name = "kept"; op = "dropout"; input = "ratings"; rate = 0.3; },
  { name = "taste"; op = "dense"; units = 20; activation = "tanh"; },
  { name = "norm"; op = "batch_norm"; },
  { name = "both"; op = "concat"; inputs = [ "who", "norm" ]; },
  { name = "score"; op = "dense"; units = "items"; activation = "sigmoid"; }
);
train: { epochs = 2; batch = 64; };
metrics = [ "mse", "mae", "ndcg@10" ];
CFG

# near NAME FILE OVERRIDE...: the cells' metrics of both backends; a ranking may turn at a tie, and they are not held.
near() {
	name=$1 file=$2
	shift 2
	run "$name-reference" "$file" -s backend=reference "$@"
	final "$run/metrics.json" | grep -v ndcg >"$WORK/want"
	run "$name-cuda" "$file" -s backend=cuda "$@"
	final "$run/metrics.json" | grep -v ndcg >"$WORK/got"
	[ -s "$WORK/want" ] && paste "$WORK/want" "$WORK/got" | awk '
		function distance(a, b) { return a > b ? a - b : b - a }
		$1 != $4 || $2 != $5 || !(distance($3, $6) <= 0.002 * $3) { print; bad = 1 } END { exit bad }' ||
		fail "$name: reference on the left, cuda on the right"
}

near seed "$WORK/small.cfg"
near sums "$WORK/small.cfg" -s loss=multinomial -s optimizer.kind=adam -s optimizer.clip_norm=0.5
near penalties "$WORK/small.cfg" -s optimizer.kind=sgd -s optimizer.rate=0.1 -s graph.taste.l2=0.001 -s graph.score.l2=0.001
cat >"$WORK/model.cfg" <<'CFG'
data: { source: { format = "synthetic"; users = 150; items = 40; ratings = 1500; };
        split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
model: { kind = "ease"; };
metrics = [ "mse" ];
CFG
near model "$WORK/model.cfg"
if [ "${4-}" = all ]; then
	for kind in recvae cdae lbfgs; do
		near $kind "$SOURCE/tests/train/$kind.cfg" -s data.source.users=300 -s data.source.items=40 \
			-s data.source.ratings=2000 -s train.epochs=2
	done
	near items "$WORK/small.cfg" -s data.rows=items -s optimizer.kind=adagrad
	near negatives "$WORK/small.cfg" -s loss.negatives=2 -s loss.reduction=row_mean
	near cells "$WORK/small.cfg" -s loss=mse -s optimizer.clip_value=0.01
	near refed "$WORK/small.cfg" -s train.refeed=1 -s graph.norm.op=layer_norm
	near momentum "$WORK/small.cfg" -s optimizer.kind=sgd -s optimizer.rate=0.1 -s optimizer.momentum=0.9
fi

# The same bytes, whoever comes first.
run forward "$WORK/small.cfg" -s backend=cuda
forward=$run
export AEXP_SHIM_ORDER=shuffled
run shuffled "$WORK/small.cfg" -s backend=cuda
unset AEXP_SHIM_ORDER
for file in metrics.json model.safetensors history.jsonl; do
	cmp "$forward/$file" "$run/$file" || fail "$file depends on the order of threads"
done

# On from another backend's weights: another ID; the experiment as it was resolved finds the same run again; and without
# a step (a rate of next to nothing) the weights are those. (batch_norm would go on with its running averages.)
run begun "$WORK/small.cfg" -s backend=reference -s graph.norm.op=layer_norm
begun=$run
run anew "$WORK/small.cfg" -s backend=cuda -s graph.norm.op=layer_norm
anew=$run
run continued "$WORK/small.cfg" -s backend=cuda -s graph.norm.op=layer_norm --continue-from "$begun"
[ "$(id_of "$run")" != "$(id_of "$anew")" ] || fail "--continue-from does not change the ID"
cmp -s "$run/model.safetensors" "$anew/model.safetensors" && fail "--continue-from changes no weight"
continued=$(id_of "$run")
run resolved "$run/experiment.cfg"
[ "$(id_of "$run")" = "$continued" ] || fail "experiment.cfg of a continued run has another ID"
run still "$WORK/small.cfg" -s backend=cuda -s graph.norm.op=layer_norm -s optimizer.kind=sgd -s optimizer.rate=1e-30 -s train.epochs=1 \
	--continue-from "$begun"
[ "$(number "$run/metrics.json" mae | cut -c1-6)" = "$(number "$begun/metrics.json" mae | cut -c1-6)" ] ||
	fail "weights that were taken over do not give the same figures"

# refused CODE WORDS ARGUMENT...
refused() {
	code=$1 words=$2
	shift 2
	got=0
	rm -rf "$WORK/refused"
	"$AEXP" "$@" -o "$WORK/refused" >"$WORK/out" 2>"$WORK/err" || got=$?
	[ "$got" -eq "$code" ] || fail "aexp $*: exit code $got, not $code"
	grep -q "$words" "$WORK/err" || { fail "aexp $*: does not say \"$words\""; cat "$WORK/err"; }
}
refused 3 'tensor "taste.weight" is' run "$WORK/small.cfg" -s graph.norm.op=layer_norm -s graph.taste.units=21 --continue-from "$begun"
refused 2 'was trained on other items' run "$WORK/small.cfg" -s graph.norm.op=layer_norm -s data.source.items=39 --continue-from "$begun"
refused 2 'has no precision "tf32"' run "$WORK/small.cfg" -s precision=tf32
for kind in driver device old memory; do
	AEXP_SHIM_FAIL=$kind refused 4 . run "$WORK/small.cfg" -s backend=cuda -s seed=3
	[ ! -e "$WORK/refused/small" ] || [ "$kind" = memory ] || fail "a run that was refused ($kind) left a folder"
done
AEXP_SHIM_MEMORY=200000 refused 4 "of the device's memory" plan "$WORK/small.cfg" -s backend=cuda
AEXP_PLUGIN_PATH=$WORK refused 4 'there is no plug-in' run "$WORK/small.cfg" -s backend=cuda -s seed=3
echo "no library" >"$WORK/libaexp_cuda.so"
AEXP_PLUGIN_PATH=$WORK refused 4 'cannot be loaded' run "$WORK/small.cfg" -s backend=cuda -s seed=3

"$AEXP" plan "$WORK/small.cfg" -s backend=cuda | grep -q '^the device holds' || fail "a plan does not say what the device holds"
[ -z "$failed" ]
