#!/bin/sh
# libaexp as an outsider has it: installed into a prefix, found by pkg-config, and linked to a small program, whose list
# must be the program's own. Nothing but aexp_* may be visible.
# Usage: installed.sh AEXP BUILD SOURCE CC
set -eu
AEXP=$(realpath "$1") BUILD=$2 SOURCE=$3
CC=${4:-cc}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
fail() {
	echo "failed: $*"
	exit 1
}
command -v pkg-config >/dev/null || { echo "no pkg-config here"; exit 77; }
DESTDIR=$WORK meson install -C "$BUILD" --no-rebuild --quiet >"$WORK/log" 2>&1 || { cat "$WORK/log"; fail "install"; }
pc=$(find "$WORK" -name libaexp.pc)
[ -n "$pc" ] || fail "no libaexp.pc"
PKG_CONFIG_PATH=$(dirname "$pc") PKG_CONFIG_SYSROOT_DIR=$WORK
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
library=$(find "$WORK" -name libaexp.so)
[ -n "$library" ] || fail "no libaexp.so"
# shellcheck disable=SC2046,SC2086
$CC $CFLAGS -std=c17 -Wall -Wextra -Werror -o "$WORK/example" "$SOURCE/tests/recommend/example.c" \
	$(pkg-config --cflags --libs libaexp) $LDFLAGS || fail "the example does not build"
stray=$(nm -D --defined-only "$library" | awk '$3 !~ /^(aexp_|AEXP_)/ { print $3 }')
[ -z "$stray" ] || fail "visible besides aexp_*: $stray"
LD_LIBRARY_PATH=$(dirname "$library")
export LD_LIBRARY_PATH
readelf -d "$library" 2>/dev/null | grep -q 'soname: \[libaexp.so.0\]' || fail "the soname is not libaexp.so.0"

"$AEXP" run "$SOURCE/tests/recommend/heldout.cfg" -q -o "$WORK/results" >/dev/null
model=$(find "$WORK/results" -name model.safetensors)
"$WORK/example" "$model" P0001 5 >"$WORK/example.out"
echo '{"ratings": {"P0001": 5}}' | "$AEXP" recommend "$model" --top 3 --csv | awk -F, 'NR > 1 { print $2 }' >"$WORK/own.out"
[ "$(wc -l <"$WORK/own.out")" = 3 ] || fail "the program's own list"
awk '{ print $1 }' "$WORK/example.out" | cmp -s - "$WORK/own.out" || fail "the example says something else"
! "$WORK/example" "$SOURCE/README.md" P0001 5 2>"$WORK/err" || fail "README.md was taken for a model"
grep -q "no model that can be used" "$WORK/err" || fail "the example does not say why"
