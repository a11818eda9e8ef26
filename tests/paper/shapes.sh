#!/bin/sh
# Every card of experiments/paper is complete: `aexp plan` accepts it, and it trains and is evaluated for an epoch, on synthetic ratings in
# place of its data. Their items are as many as the data's where that is a matter of seconds; users are few.
# Usage: shapes.sh AEXP SOURCE wide|small   (small: under sanitizers)
set -eu
AEXP=$1 SOURCE=$2 SIZE=$3
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
export AEXP_DATA="$WORK" # a folder without any data
failed=
fail() {
	echo "failed: $*"
	failed=1
}

# Users, items and ratings in place of a card's data.
shape_of() {
	case $SIZE-$1 in
	small-*) echo 300 400 12000 ;;
	*-ease | *-item-knn) echo 600 1500 40000 ;; # cubic in the items
	wide-ml100k-*) echo 943 1682 80000 ;;
	wide-ml1m-*) echo 3000 3706 200000 ;;
	wide-ml10m-*) echo 2000 10677 200000 ;;
	wide-ml20m-*) echo 1200 20108 250000 ;;
	wide-netflix-deeprecommender-*) echo 260 17770 120000 ;;
	wide-netflix-*) echo 1200 17770 250000 ;;
	*) fail "$1: no shape for such a name" && exit 1 ;;
	esac
}

set_all() {
	for word; do
		printf -- '-s %s ' "$word"
	done
}

count=0
for card in "$SOURCE"/experiments/paper/*.cfg; do
	name=$(basename "$card" .cfg)
	count=$((count + 1))
	set -- $(shape_of "$name")
	sets=$(set_all repeats=1 data.source.format=synthetic data.source.users="$1" data.source.items="$2" data.source.ratings="$3")
	if ! grep -q heldout "$card"; then
		sets="$sets $(set_all 'data.split={kind="ratio";valid=0.1;test=0.1;}')"
	elif [ "${name#ml1m-}" = "$name" ]; then # held-out users by number: there a share
		sets="$sets $(set_all data.split.valid_users=30 data.split.test_users=30)"
	fi
	grep -q '^model' "$card" || sets="$sets $(set_all train.epochs=1)"
	if ! "$AEXP" plan "$card" $sets >"$WORK/plan" 2>"$WORK/err"; then
		fail "$name: plan: $(cat "$WORK/err")"
		continue
	fi
	if ! "$AEXP" run "$card" $sets -q -o "$WORK/results" >"$WORK/out" 2>"$WORK/err"; then
		fail "$name: run: $(cat "$WORK/err")"
		continue
	fi
	metrics=$(echo "$WORK/results/$name"/*/metrics.json)
	grep -q '"test": {"[a-z_@0-9]*": [0-9.]' "$metrics" || fail "$name has no figure on test: $(grep '"test"' "$metrics")"
	rm -rf "$WORK/results"
	# Without its data it says what to put where, and exits with the data error.
	code=0
	"$AEXP" verify "$card" -o "$WORK/results" >"$WORK/out" 2>"$WORK/err" || code=$?
	[ "$code" -eq 3 ] || fail "$name: verify without data exits with $code"
	grep -q 'AEXP_DATA' "$WORK/err" || fail "$name: verify does not say where the data belongs: $(cat "$WORK/err")"
done
echo "$count cards"
[ "$count" -ge 40 ] || fail "only $count cards"
[ -z "$failed" ]
