#!/bin/sh
# Lists of everyone are made in another way than that of one user (lists.c): they must hold the same items in the same
# order, with scores that differ by rounding alone, whatever the output is: tied, without bias, of an activation.
# Usage: many.sh AEXP SOURCE
set -eu
AEXP=$(realpath "$1") SOURCE=$(realpath "$2")/tests/recommend
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
# hold CFG [-s KEY=VALUE]...
hold() {
	rm -rf results
	"$AEXP" run -q "$@" -s name=it >/dev/null
	"$AEXP" recommend it --all --top 7 --csv -t 2 | cut -d, -f1-3 >all
	for user in $(cut -d, -f1 all | uniq | awk 'NR % 97 == 2'); do
		"$AEXP" recommend it --user "$user" --top 7 --csv | cut -d, -f1-3 | grep "^$user," >one
		grep "^$user," all | paste -d, one - | awk -F, '
			$2 != $5 || ($3 - $6 > 1e-5) || ($6 - $3 > 1e-5) { bad = 1; print }
			END { exit bad || NR != 7 }' || { echo "failed: $*: user $user"; exit 1; }
	done
	[ "$(wc -l <all)" -gt 1000 ] || { echo "failed: $*: only $(wc -l <all) lines"; exit 1; }
}
hold "$SOURCE/every-op.cfg"
hold "$SOURCE/heldout.cfg"
hold "$SOURCE/heldout.cfg" -s graph.score.bias=false -s graph.score.activation=identity
hold "$SOURCE/heldout.cfg" -s graph.score.activation=swish
hold "$SOURCE/cdae.cfg"
hold "$SOURCE/multi.cfg" -s backend=reference
# A catalogue that has favourites, which later users are measured by: with a strictly rising output, and with one that is
# the same for many items.
hold "$SOURCE/heldout.cfg" -s data.source.items=1700 -s data.source.users=2500 -s data.source.ratings=30000 \
	-s graph.score.activation=identity
hold "$SOURCE/heldout.cfg" -s data.source.items=1700 -s data.source.users=2500 -s data.source.ratings=30000
