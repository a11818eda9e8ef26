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

WORKSPACE=33555500 # bytes that the device has taken itself when it is open (cuda/plugin.cu)

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
	near negatives "$WORK/small.cfg" -s loss.kind=masked_mse -s loss.negatives=2 -s loss.reduction=row_mean
	near cells "$WORK/small.cfg" -s loss=mse -s optimizer.kind=adagrad -s optimizer.clip_value=0.01
	near refed "$WORK/small.cfg" -s train.refeed=1 -s graph.norm.op=layer_norm
	near momentum "$WORK/small.cfg" -s optimizer.kind=sgd -s optimizer.rate=0.1 -s optimizer.momentum=0.9
fi

# The same bytes, whoever comes first; whether the data lies on the device or comes in blocks, which plan tells; with steps
# as graphs or plain; and where what streams ask for is done as late as may be.
# same NAME WHY VARIABLE=VALUE OVERRIDE...: with the bytes of $forward
same() {
	name=$1 why=$2 setting=$3
	shift 3
	export "$setting"
	run "$name" "$WORK/small.cfg" -s backend=cuda "$@"
	unset "${setting%%=*}"
	for file in metrics.json model.safetensors history.jsonl; do
		cmp "$forward/$file" "$run/$file" || fail "$file depends on $why"
	done
}
# ways NAME OVERRIDE...
ways() {
	name=$1
	shift
	run "$name" "$WORK/small.cfg" -s backend=cuda "$@"
	forward=$run
	"$AEXP" plan "$WORK/small.cfg" -s backend=cuda --json "$@" >"$WORK/plan.json"
	grep -q '"batches": "gathered"' "$WORK/plan.json" || fail "$name: the data set does not lie on a device that has room for it"
	bytes=$(($(json_number network) + $(json_number data) + WORKSPACE))
	AEXP_SHIM_MEMORY=$bytes "$AEXP" plan "$WORK/small.cfg" -s backend=cuda --json "$@" | grep -q '"batches": "streamed"' ||
		fail "$name: the data set lies on a device that has no room for it"
	same "$name-streamed" "where the data lies" "AEXP_SHIM_MEMORY=$bytes" "$@"
	export AEXP_SHIM_LATE=1
	same "$name-late" "when streams do what they are asked" "AEXP_SHIM_MEMORY=$bytes" "$@"
	unset AEXP_SHIM_LATE
	same "$name-shuffled" "the order of threads" AEXP_SHIM_ORDER=shuffled "$@"
	same "$name-plain" "whether steps are graphs" AEXP_CUDA_PLAIN=1 "$@"
}
json_number() { sed -n "s/.*\"device\":.*\"$1\": \([0-9]*\).*/\1/p" "$WORK/plan.json"; }
large="-s data.source.users=1500 -s train.batch=50 -s train.epochs=1 -s graph.taste.units=8"
ways short $large -s data.source.ratings=6000 # rows that training puts into another order (src/nn/packed.h)
[ "${4-}" != all ] || ways long $large -s data.source.ratings=15000 -s optimizer.kind=sgd -s graph.taste.l2=0.001 -s graph.score.l2=0.001
# What plan says is enough: all that kernels work with is in it.
run roomy "$WORK/small.cfg" -s backend=cuda -s seed=5
forward=$run
AEXP_SHIM_MEMORY=$((WORKSPACE + 1)) "$AEXP" plan "$WORK/small.cfg" -s backend=cuda -s seed=5 --json >"$WORK/plan.json" 2>"$WORK/err" &&
	fail "plan says that nothing is enough"
bytes=$(($(json_number network) + $(json_number blocks) + WORKSPACE))
same tight "how little memory there is" "AEXP_SHIM_MEMORY=$bytes" -s seed=5
AEXP_SHIM_MEMORY=$((bytes - 2000)) "$AEXP" plan "$WORK/small.cfg" -s backend=cuda -s seed=5 >"$WORK/out" 2>&1 &&
	fail "plan says that two kilobytes less are enough as well"
run negatives-eager "$WORK/small.cfg" -s backend=cuda -s loss.kind=masked_mse -s loss.negatives=2
forward=$run
same negatives-late "when streams do what they are asked" AEXP_SHIM_LATE=1 -s loss.kind=masked_mse -s loss.negatives=2
same negatives-reverse "the order of threads" AEXP_SHIM_ORDER=reverse -s loss.kind=masked_mse -s loss.negatives=2

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

# Both ways, with every optimizer: on from weights that either backend made, both give what either gives.
# crossed KIND OVERRIDE...
crossed() {
	kind=$1
	shift
	set -- -s graph.norm.op=layer_norm -s optimizer.kind="$kind" "$@"
	for from in reference cuda; do
		run "from-$kind-$from" "$WORK/small.cfg" -s backend=$from "$@"
		from_run=$run
		near "crossed-$kind-$from" "$WORK/small.cfg" "$@" --continue-from "$from_run"
		[ "$(id_of "$run")" != "$(id_of "$from_run")" ] || fail "$kind: --continue-from does not change the ID"
		case $(cat "$run/experiment.cfg") in
		*"$(hash_of "$from_run")"* | *"$from_run/model.safetensors"*) ;;
		*) fail "$kind: experiment.cfg does not say which weights it began with" ;;
		esac
	done
}
hash_of() { sed -n 's/.*"weights_hash": "\([^"]*\)".*/\1/p' "$1/metrics.json"; }
crossed adadelta
crossed sgd -s graph.taste.l2=0.001 -s graph.score.l2=0.001 -s optimizer.rate=0.1
if [ "${4-}" = all ]; then
	for kind in $("$AEXP" schema optimizers | sed -n "2,\$s/^\([a-z]\{1,\}\) .*/\1/p"); do
		case $kind in
		adadelta | sgd) ;; # above
		lbfgs) ;;          # takes no dropout
		rprop) crossed "$kind" -s train.batch=0 ;;
		*) crossed "$kind" ;;
		esac
	done
fi

# Lists and scores of one model by either backend: the same items, the scores within rounding.
run model "$WORK/small.cfg" -s backend=cuda -s graph.norm.op=layer_norm
model=$run
printf '{"id": "a", "ratings": {"P0001": 5, "P0003": 2}}\n{"id": "b", "ratings": {"P0022": 4}}\n{"id": "c"}\n' >"$WORK/users"
for how in openblas cuda; do
	"$AEXP" recommend "$model" --backend=$how --top 7 --csv <"$WORK/users" >"$WORK/lists-$how" 2>/dev/null || fail "recommend --backend=$how"
	"$AEXP" recommend "$model" --backend=$how --all --top 50 --csv >"$WORK/all-$how" || fail "recommend --all --backend=$how"
	printf 'id,item,rating\nx,P0001,5\nx,P0004,\nx,P0009,\n' | "$AEXP" predict "$model" --backend=$how --csv >"$WORK/scores-$how" || fail "predict --backend=$how"
done
for what in lists all scores; do
	[ "$(wc -l <"$WORK/$what-cuda")" -gt 2 ] && paste -d, "$WORK/$what-openblas" "$WORK/$what-cuda" | awk -F, '
		function distance(a, b) { return a > b ? a - b : b - a }
		{ half = NF / 2
		  for (i = 1; i <= half; i++)
			if ($i != $(i + half) && !($i + 0 == $i && distance($i, $(i + half)) <= 1e-5)) { print; bad = 1 } } END { exit bad }' ||
		fail "$what: openblas on the left, cuda on the right"
done

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
AEXP_SHIM_MEMORY=$((WORKSPACE + 200000)) refused 4 "of the device's memory" plan "$WORK/small.cfg" -s backend=cuda
AEXP_PLUGIN_PATH=$WORK refused 4 'there is no plug-in' run "$WORK/small.cfg" -s backend=cuda -s seed=3
AEXP_PLUGIN_PATH=$WORK refused 4 'there is no plug-in' recommend "$model" --backend=cuda --all
refused 2 'Did you mean "cuda"' recommend "$model" --backend=cude --all
echo "no library" >"$WORK/libaexp_cuda.so"
AEXP_PLUGIN_PATH=$WORK refused 4 'cannot be loaded' run "$WORK/small.cfg" -s backend=cuda -s seed=3

"$AEXP" plan "$WORK/small.cfg" -s backend=cuda | grep -q '^the device holds' || fail "a plan does not say what the device holds"
[ -z "$failed" ]
