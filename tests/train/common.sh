# What the scripts of this folder share; read by them after AEXP, SOURCE and WORK are set.

failed=
fail() {
	echo "$*"
	failed=1
}

# run FOLDER ARGUMENT...: one quiet run into WORK/FOLDER; sets `run` to its run folder.
run() {
	into=$WORK/$1
	shift
	if ! "$AEXP" run "$@" -q -o "$into" >"$WORK/out" 2>"$WORK/err"; then
		echo "failed: aexp run $*"
		cat "$WORK/err"
		exit 1
	fi
	run=$(dirname "$(find "$into" -name metrics.json)")
	[ -f "$run/metrics.json" ] || { echo "not one finished run in $into: $run"; exit 1; }
}

id_of() {
	basename "$1"
}

# final FILE: the numbers below "final", one "PART METRIC NUMBER" a line, in the file's order.
final() {
	sed -n '/^\t"final"/,/^\t}/p' "$1" | grep -o '"[a-z_@0-9]*": *[-{n0-9][-+.e0-9ul]*' | tr -d '":' |
		awk '$2 ~ /^\{/ { part = $1; next } { print part, $1, $2 }'
}

# number FILE METRIC: of the test part.
number() {
	final "$1" | awk -v metric="$2" '$1 == "test" && $2 == metric { print $3 }'
}

# below A B: both are numbers, and A < B.
below() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "" && b != "" && a ~ /^[-0-9]/ && b ~ /^[-0-9]/ && a + 0 < b + 0) }'
}
