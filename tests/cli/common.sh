# What the scripts of this folder share; read by them first, with AEXP and the folder of good.cfg as arguments.
aexp=$(realpath "$1")
good=$(realpath "$2/good.cfg") # a run of a moment
source=$(realpath "$2/../../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results
failed=0

fail() {
	echo "failed: $*"
	failed=1
}

# run CODE ARGUMENT...: runs the program with $work/in as standard input, keeps what it says in out and err, and wants the
# exit code. What a script sets `always` to goes behind the arguments.
always=
: >"$work/in"
run() {
	wanted=$1
	shift
	code=0
	"$aexp" "$@" $always <"$work/in" >"$work/out" 2>"$work/err" || code=$?
	last="aexp $*"
	if [ "$code" != "$wanted" ]; then
		fail "$last: exit code $code, expected $wanted"
		cat "$work/err"
	fi
}
out() { grep -qF -- "$1" "$work/out" || fail "$last: standard output lacks: $1"; }
err() { grep -qF -- "$1" "$work/err" || fail "$last: standard error lacks: $1"; }
no_out() { [ ! -s "$work/out" ] || fail "$last: standard output holds: $(head -n 1 "$work/out")"; }
no_err() { [ ! -s "$work/err" ] || fail "$last: standard error holds: $(head -n 1 "$work/err")"; }
# Whether standard output is one JSON value; asked only where a reader of JSON is there.
is_json() {
	command -v python3 >/dev/null || return 0
	python3 -m json.tool "$work/out" >/dev/null 2>&1 || fail "$last: standard output is no JSON"
}
