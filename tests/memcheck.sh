#!/bin/bash
# One small run of each verb under valgrind's memcheck; skipped (77) where there is none. Usage: memcheck.sh AEXP SOURCE
set -u
AEXP=$(realpath "$1") SOURCE=$(realpath "$2")
command -v valgrind >/dev/null || { echo "skipped: there is no valgrind"; exit 77; }
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
cd "$WORK"
export OPENBLAS_CORETYPE=Haswell # valgrind knows no AVX-512
failed=
# check CODE ARGUMENT...
check() {
	wanted=$1 code=0
	shift
	valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite --child-silent-after-fork=yes \
		--log-file=log "$AEXP" "$@" -o results >out 2>err </dev/null || code=$?
	echo "aexp $1: exit code $code, $(grep -c 'at 0x' log) reports"
	[ "$code" = "$wanted" ] || { cat err log; failed=1; }
}
GOOD=$SOURCE/tests/bad/with/good.cfg
check 0 run "$GOOD" -s train.epochs=2 -s metrics='["mse","ndcg@5"]' -s train.checkpoint.share=1
check 0 run "$GOOD" -s train.epochs=2 -s metrics='["mse","ndcg@5"]' -s train.checkpoint.share=1
check 0 run "$GOOD" -s repeats=2 -s seed=3
check 0 plan "$GOOD"
check 0 data "$GOOD"
check 0 verify "$GOOD" -s seed=4
run=$(dirname "$(find results -name metrics.json | head -1)")
check 0 verify --integrity "$run"
check 0 list
check 0 show "$run"
check 0 compare $(find results -name metrics.json -printf '%h\n' | head -2)
check 0 plot "$run"
check 0 recommend "$run" --all --top 3
check 0 export "$run" --format csv
check 0 export "$run" --format npz --to model.npz
check 0 schema
cat >sweep.cfg <<END
extends = "$GOOD";
name = "swept";
train: { epochs = 2; };
sweep: { kind = "random"; trials = 3; objective = "valid.mse"; space: ( { key = "graph.taste.units"; values = [ 2, 3, 4, 5 ]; } ); };
END
check 0 sweep sweep.cfg -j 2
check 2 run "$GOOD" -s graph.taste.units=-1
check 2 nonsense
[ -z "$failed" ]
