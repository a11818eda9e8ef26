#!/bin/sh
# check-floors must name each kind of offence, and nothing else. Usage: check_floors.sh PATH-OF-check-floors
set -eu
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree/src/base" "$tree/src/config" "$tree/src/data" "$tree/src/cli" "$tree/src/odd"

printf '#include "base/a.h"\n#include <stdio.h>\n// #include "data/x.h"\n#include "generated.h"\n' >"$tree/src/base/good.c"
printf '#include <libconfig.h>\n#include "base/a.h"\n' >"$tree/src/config/parse.c"
printf '#include "sweep/a.h"\n#include "cli/b.h"\n#include "base/c.h"\n' >"$tree/src/cli/main.c"
if ! "$1" "$tree"; then
	echo "a tree without offences was refused"
	exit 1
fi

printf '\n#include "config/read.h"\n' >"$tree/src/base/up.c"
printf '#include <cuda_runtime.h>\n#include "kernels.cuh"\n  # include "cublas_v2.h"\n' >"$tree/src/base/gpu.h"
printf '#include <libconfig.h>\n' >"$tree/src/config/schema.c"
printf '#include "../base/a.h"\n#include "tensor/t.h"\n' >"$tree/src/data/d.c"
printf '\n' >"$tree/src/odd/o.c"
printf '\n#include "base/a.h"\n' >"$tree/src/main.c"
cat >"$tree/expected" <<'END'
src/base/gpu.h:1: includes the CUDA header "cuda_runtime.h"
src/base/gpu.h:2: includes the CUDA header "kernels.cuh"
src/base/gpu.h:3: includes the CUDA header "cublas_v2.h"
src/base/up.c:2: base includes "config/read.h" of a floor below it
src/config/schema.c:1: includes libconfig.h, which only src/config/parse.c may
src/data/d.c:1: includes "../base/a.h", which is on no floor
src/data/d.c:2: data includes "tensor/t.h" of a floor below it
src/main.c:1: lies on no floor
src/odd/o.c:1: lies on no floor
END
status=0
"$1" "$tree" >"$tree/found" || status=$?
diff "$tree/expected" "$tree/found"
[ "$status" -eq 1 ] || { echo "exit status $status instead of 1"; exit 1; }
