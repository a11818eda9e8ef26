#!/bin/sh
# Models that are fitted in one go: the same bytes on any number of threads and from the resolved file, the yardsticks'
# own figures where a model is a yardstick, held-out users scored from their input, the reference backend alike.
# Usage: models.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

cat >"$WORK/small.cfg" <<'CFG'
data: { source: { format = "synthetic"; users = 400; items = 60; ratings = 5000; };
        split: { kind = "ratio"; valid = 0.1; test = 0.2; }; };
model = "popularity";
metrics = [ "mse", "mae", "ndcg@10", "user_auc", "coverage@10" ];
CFG

# yardstick FILE NAME: the test figures of one, as "METRIC NUMBER" lines.
yardstick() {
	sed -n '/^\t\t"test"/,/^\t\t}/p' "$1" | grep "\"$2\":" | grep -o '"[a-z_@0-9]*": *[-0-9][-+.e0-9]*' | tr -d '":'
}

for kind in global_mean item_mean user_item_bias popularity item_knn ease pure_svd; do
	for split in ratio users; do
		small() {
			folder=$kind-$split-$1
			shift
			run "$folder" "$WORK/small.cfg" -s "model.kind=$kind" -s "data.split.kind=$split" "$@"
		}
		small one -t 1
		one=$run
		for threads in 2 3; do
			small "$threads" -t "$threads"
			for file in metrics.json model.safetensors history.jsonl loss.tsv users.tsv; do
				cmp "$one/$file" "$run/$file" || fail "$kind, $split: $file differs with $threads threads"
			done
		done
		run "$kind-$split-resolved" "$one/experiment.cfg"
		[ "$(id_of "$run")" = "$(id_of "$one")" ] || fail "$kind: the resolved file has another ID"
		cmp "$one/metrics.json" "$run/metrics.json" || fail "$kind: the resolved file gives other metrics"
		small reference -s backend=reference
		final "$one/metrics.json" >"$WORK/openblas.txt"
		final "$run/metrics.json" >"$WORK/reference.txt"
		[ "$(wc -l <"$WORK/openblas.txt")" -ge 15 ] || fail "$kind: too few final numbers"
		paste -d ' ' "$WORK/openblas.txt" "$WORK/reference.txt" | awk -v most=1e-4 '
			{ size = $3 < 0 ? -$3 : $3; gap = $3 - $6; gap = gap < 0 ? -gap : gap }
			$1 != $4 || $2 != $5 || ($3 == "null") != ($6 == "null") || gap > most * size { print; bad = 1 }
			END { exit bad }' || fail "$kind, $split: the reference backend's metrics differ"
		for metric in $(yardstick "$one/metrics.json" "$kind" | cut -d ' ' -f 1); do
			[ "$metric" = "$kind" ] && continue
			is=$(number "$one/metrics.json" "$metric")
			want=$(yardstick "$one/metrics.json" "$kind" | awk -v metric="$metric" '$1 == metric { print $2 }')
			[ "$is" = "$want" ] || fail "$kind, $split: test.$metric is $is, the yardstick's $want"
		done
	done
done
[ "$(number "$WORK"/popularity-ratio-one/small/*/metrics.json mse)" = null ] || fail "popularity has an mse"
[ "$(number "$WORK"/ease-ratio-one/small/*/metrics.json mse)" != null ] || fail "ease has no mse"
[ -z "$failed" ]
