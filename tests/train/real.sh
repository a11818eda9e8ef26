#!/bin/sh
# Real ratings: published counts and means, zeros kept, the dense path where data is full, and errors below what the
# files under experiments/ promise. Skipped where the data is not there.
# Usage: real.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
AEXP_DATA=${AEXP_DATA:-$SOURCE/../shared/data}
export AEXP_DATA
for file in ml-100k/u1.base ml-1m/ratings-no-timestamps.dat.xz filmtrust/ratings.txt jester-5k/ratings.csv.xz; do
	[ -f "$AEXP_DATA/$file" ] || { echo "skipped: no $file in $AEXP_DATA (set AEXP_DATA)"; exit 77; }
done
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/train/common.sh"

# says PATTERN...: each is a line of what `aexp data` or `aexp plan` printed.
says() {
	for pattern; do
		grep -qE -- "^$pattern\$" "$WORK/said" || fail "no line \"$pattern\" in: $(cat "$WORK/said")"
	done
}
# ask VERB FILE...: keeps what it prints.
ask() {
	"$AEXP" "$@" >"$WORK/said" || { echo "failed: aexp $*"; exit 1; }
}
ask data "$SOURCE/experiments/ml100k-beautybot.cfg"
says 'users +943' 'items +1,682' 'ratings +100,000' 'mean +3\.52986' 'range +1 to 5'
ask data "$SOURCE/experiments/ml1m-autorec.cfg"
says 'users +6,040' 'items +3,706' 'ratings +1,000,209' 'mean +3\.581564' 'range +1 to 5'

cat >"$WORK/filmtrust.cfg" <<'CFG'
data: { source: { format = "delimited"; path = "${AEXP_DATA}/filmtrust/ratings.txt"; separator = " "; header = false; };
        duplicates = "last"; };
graph: ( { op = "dense"; input = "ratings"; units = 8; activation = "relu"; }, { op = "dense"; units = "items"; } );
loss = "masked_mse";
optimizer: { kind = "adam"; };
train: { epochs = 1; };
metrics = [ "mse" ];
CFG
sed -e 's,filmtrust/ratings.txt,jester-5k/ratings.csv.xz,' -e 's/" "; header = false/","; header = true; columns: { user = "user"; item = "joke"; rating = "rating"; }/' \
	-e 's/duplicates = "last"/split: { kind = "ratio"; valid = 0.05; test = 0.1; }/' "$WORK/filmtrust.cfg" >"$WORK/jester.cfg"
ask data "$WORK/filmtrust.cfg"
says 'users +1,508' 'items +2,071' 'ratings +35,494' 'range +0\.5 to 4'
ask data "$WORK/jester.cfg"
# its 1,025 zeros would be missing if a zero were no rating
says 'users +5,000' 'items +100' 'ratings +363,209' 'mean +0\.9159[0-9]*' 'range +-9\.95 to 9\.9'
ask plan "$WORK/jester.cfg"
says 'dense_1 .* dense +all rows .*' 'dense_2 .* dense +all rows .*'
run filmtrust "$WORK/filmtrust.cfg"
run jester "$WORK/jester.cfg"
grep -q '"name": "dense_1".*"path": "dense"' "$run/metrics.json" || fail "jester: the first node did not take the dense path"
grep -q '"name": "dense_2".*"path": "dense"' "$run/metrics.json" || fail "jester: the last node did not take the dense path"

# A recipe's error on held-out cells against what its file promises.
run autorec "$SOURCE/experiments/ml100k-autorec.cfg"
rmse=$(number "$run/metrics.json" rmse)
below "$rmse" 0.93 || fail "ml100k-autorec: test.rmse is $rmse, not below 0.93"
run heldout "$SOURCE/experiments/ml100k-heldout.cfg"
mse=$(number "$run/metrics.json" mse)
for yardstick in item_mean user_item_bias; do
	bar=$(sed -n '/^\t\t"test"/,/^\t\t}/p' "$run/metrics.json" | grep "\"$yardstick\"" | grep -o '"mse": [0-9.e-]*' | cut -d ' ' -f 2)
	below "$mse" "$bar" || fail "ml100k-heldout: test.mse is $mse, not below that of $yardstick, $bar"
done
[ -z "$failed" ]
