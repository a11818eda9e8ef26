#!/bin/sh
# MovieLens 100K: titles come with the lists, whoever likes science fiction is given some, and a new user is given what a
# known one with the same ratings is given. Without $AEXP_DATA: skipped.
# Usage: real.sh AEXP SOURCE
set -eu
AEXP=$(realpath "$1") SOURCE=$(realpath "$2")
AEXP_DATA=${AEXP_DATA:-$SOURCE/../shared/data}
export AEXP_DATA
[ -f "$AEXP_DATA/ml-100k/u.data" ] || { echo "skipped: no ml-100k in $AEXP_DATA (set AEXP_DATA)"; exit 77; }
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
failed=0
fail() {
	echo "failed: $*"
	failed=1
}
"$AEXP" run "$SOURCE/tests/recommend/ml100k.cfg" -q >/dev/null
echo '{"id": "new1", "ratings": {"50": 5, "181": 4}, "user": {"gender": "F"}}' >in
"$AEXP" recommend ml100k --top 10 <in >out
grep -q '^new1  (from ratings' out || fail "no basis"
[ "$(grep -c '([12][0-9][0-9][0-9])$' out)" -ge 9 ] || fail "no titles with years"
grep -qE 'Raiders of the Lost Ark|Empire Strikes Back|Fugitive|Star Trek' out || fail "no science fiction beside Star Wars"
cat out
"$AEXP" recommend ml100k --similar 50 --top 5 >similar
grep -qE 'Return of the Jedi|Empire Strikes Back|Raiders' similar || { fail "Star Wars is near to nothing"; cat similar; }

# User 42's ratings are all train here, and no attribute is read: as a new user the same list.
"$AEXP" recommend ml100k --user 42 --json --top 20 | sed 's/"id": "[^"]*"//' >known
awk -F'\t' 'BEGIN { printf "{\"id\": \"x\", \"ratings\": {" } $1 == 42 { printf "%s\"%s\": %s", n++ ? ", " : "", $2, $3 } END { print "}}" }' \
	"$AEXP_DATA/ml-100k/u.data" >in
"$AEXP" recommend ml100k --json --top 20 <in | sed 's/"id": "[^"]*"//' >new
cmp known new || fail "user 42 is given something else as a new user"
exit $failed
