#!/bin/bash
# The model is replaced under load, by signal and by itself, by good files and bad ones: no request fails, and every
# answer is the old model's or the new one's. Usage: reload.sh AEXP SOURCE [TIMES]
set -eu
. "$(dirname "$0")/common.sh"
times=${3:-10}
command -v curl >/dev/null || { echo "no curl here"; exit 77; }
make_models
cp model.safetensors first.safetensors
echo '{"ratings": {"P0001": 5, "P0002": 1}}' >in
for model in first other; do "$aexp" recommend $model.safetensors --json <in >$model.wanted; done
! cmp -s first.wanted other.wanted || fail "both models say the same"
serve

# load NUMBER: asks over one kept connection after the other; a status and an answer each.
load() {
	local list=()
	for ((i = 0; i < 50; i++)); do list+=("$url/recommend"); done
	while [ ! -e enough ]; do
		curl -s -S --data-binary @in -w '%{http_code}\n' "${list[@]}"
	done >"load.$1" 2>&1
}
for n in 1 2 3 4; do load $n & loads+=($!); done
for ((k = 0; k < times; k++)); do
	case $((k % 3)) in
	0) cp other.safetensors next ;;
	1) cp first.safetensors next ;;
	2) head -c 1000 first.safetensors >next ;;
	esac
	mv next model.safetensors
	kill -HUP "$server"
	sleep 0.2
done
touch enough
wait "${loads[@]}"
cat load.* | sort | uniq -c >seen
[ "$(grep -vcE ' 200$' seen)" = 2 ] || fail "not just two answers, and 200: $(cat seen)"
for model in first other; do grep -qF -- "$(cat $model.wanted)" seen || fail "$model never answered"; done
[ "$(grep -c 'opened anew' said)" -ge 2 ] || fail "it was not opened anew: $(cat said)"
grep -q 'the old model stays' said || fail "a bad file is not named: $(cat said)"
curl -s "$url/metrics" | grep -q '^aexp_reload_failures_total [1-9]' || fail "failures are not counted"
cat seen | awk '{ n += $1 } END { print n / 2 " requests" }'
stopped TERM
exit $failed
