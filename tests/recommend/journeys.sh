#!/bin/bash
# docs/recommending.md as a newcomer follows it: its blocks of shell are run as they are written, in one folder, and each
# must end well and say what the comment below it says. Its block of Python too, where one has numpy and safetensors
# (AEXP_PYTHON, else python3), against the program's own scores.
# Usage: journeys.sh AEXP DOC
set -eu
AEXP=$(realpath "$1") doc=$(realpath "$2")
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
mkdir "$WORK/bin" "$WORK/blocks" "$WORK/here"
ln -s "$AEXP" "$WORK/bin/aexp"
PATH=$WORK/bin:$PATH
cd "$WORK/here"

# N.sh and N.says for each block of shell.
awk -v into="$WORK/blocks" '
	/^```sh$/ { file = sprintf("%s/%02d.sh", into, ++count); inside = 1; next }
	/^```/ && inside { inside = 0; close(file); next }
	inside { print > file }
	/^<!-- says: / { sub(/^<!-- says: /, ""); sub(/ -->$/, ""); print > sprintf("%s/%02d.says", into, count) }
' "$doc"
[ "$(ls "$WORK/blocks" | grep -c 'sh$')" -ge 11 ] || { echo "failed: too few journeys in $doc"; exit 1; }
for block in "$WORK"/blocks/*.sh; do
	if ! bash -eu "$block" >"$WORK/out" 2>"$WORK/err"; then
		echo "failed:"
		cat "$block" "$WORK/err"
		exit 1
	fi
	[ -f "${block%.sh}.says" ] || { echo "failed: nothing is expected of"; cat "$block"; exit 1; }
	if ! grep -qF -- "$(cat "${block%.sh}.says")" "$WORK/out"; then
		echo "failed: this does not say: $(cat "${block%.sh}.says")"
		cat "$block" "$WORK/out" "$WORK/err"
		exit 1
	fi
done

PYTHON=${AEXP_PYTHON:-python3}
if ! "$PYTHON" -c 'import numpy, safetensors' 2>/dev/null; then
	echo "no Python with numpy and safetensors: its ten lines are not run"
	exit 0
fi
awk '/^```python$/ { inside = 1; next } /^```/ { inside = 0 } inside' "$doc" >"$WORK/ten.py"
cat >>"$WORK/ten.py" <<'END'
import subprocess
asked = json.dumps({"ratings": {"P0005": 5, "P0017": 2}, "items": items})
said = json.loads(subprocess.run(["aexp", "predict", "moved.bin", "--json"], input=asked, capture_output=True, text=True, check=True).stdout)
assert [x["item"] for x in said["items"]] == items
assert max(abs(x["score"] - y) for x, y in zip(said["items"], scores)) < 1e-6
stored = np.load("shop.npz")
assert all((stored[name] == w[name]).all() for name in w) and len(stored.files) == len(w)
END
"$PYTHON" "$WORK/ten.py"
