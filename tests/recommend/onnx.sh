#!/bin/sh
# Exports to ONNX, of graphs that have every op and of models without a graph, hold what onnx.c computes from them.
# Usage: onnx.sh AEXP ONNX SOURCE   ONNX: the program of onnx.c
set -eu
AEXP=$(realpath "$1") ONNX=$(realpath "$2") SOURCE=$(realpath "$3")/tests/recommend
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
fail() {
	echo "failed: $*"
	exit 1
}
# hold CFG [-s KEY=VALUE]...
hold() {
	"$AEXP" run -q "$@" -s name=it >/dev/null
	"$AEXP" export it --format onnx --to it.onnx
	"$ONNX" results/it/*/model.safetensors it.onnx || fail "$*"
	rm -r results/it
}
hold "$SOURCE/every-op.cfg"
for op in $("$AEXP" schema ops | awk '/^[a-z]/ { print $1 }'); do
	case $op in op | dense) continue ;; esac # of which every graph has some
	grep -q "op = \"$op\"" "$SOURCE/every-op.cfg" || fail "every-op.cfg lacks $op"
done
for activation in $("$AEXP" schema activations | awk '/^[a-z]/ { print $1 }'); do
	case $activation in activation) continue ;; esac
	grep -qE "(activation|kind) = \"$activation\"" "$SOURCE/every-op.cfg" || fail "every-op.cfg lacks $activation"
done
hold "$SOURCE/cells.cfg" -s data.rows=items -s 'data.user_features={ }'
hold "$SOURCE/fitted.cfg"
hold "$SOURCE/fitted.cfg" -s model.kind=pure_svd -s model.factors=5
"$AEXP" run -q "$SOURCE/fitted.cfg" -s model.kind=item_mean -s name=mean >/dev/null
code=0
"$AEXP" export mean --format onnx --to mean.onnx 2>err || code=$?
[ "$code" = 2 ] && grep -q 'only counts or averages' err || fail "a model without weights: exit code $code"
[ ! -e mean.onnx ] || fail "something was written of it"
"$AEXP" run -q "$SOURCE/every-op.cfg" >/dev/null
"$AEXP" export every-op --format onnx --to a.onnx
"$AEXP" export every-op --format onnx --to b.onnx
cmp a.onnx b.onnx || fail "not the same bytes"
