# What the scripts of this folder share; read by them after AEXP and WORK are set.

failed=
fail() {
	echo "$*"
	failed=1
}

# A sweep whose trials take a moment each. experiment FILE LINE...: the lines end the file.
experiment() {
	file=$1
	shift
	cat >"$file" <<'END'
name = "small";
seed = 5;
data: { source: { format = "synthetic"; users = 400; items = 60; ratings = 4000; }; split: { kind = "ratio"; valid = 0.1; test = 0.1; }; };
graph: ( { name = "hidden"; op = "dense"; input = "ratings"; units = 16; activation = "sigmoid"; },
	{ name = "score"; op = "dense"; units = "items"; } );
optimizer: { kind = "adam"; rate = 0.01; };
train: { epochs = 9; batch = 64; };
metrics = [ "rmse" ];
END
	printf '%s\n' "$@" >>"$file"
}

learning='sweep: { kind = "tpe"; trials = 24; objective = "valid.rmse"; lag = 3; early_stop: { kind = "asha"; };
	space: ( { key = "optimizer.rate"; range = [ 1e-4, 0.1 ]; scale = "log"; },
		{ key = "graph.hidden.units"; range = [ 4, 64 ]; scale = "log"; integer = true; },
		{ key = "optimizer.kind"; values = [ "adam", "sgd" ]; },
		{ key = "train.batch"; values = [ 16, 64 ]; when = "optimizer.kind=adam"; } ); };'
grid='sweep: { kind = "grid"; objective = "valid.rmse";
	space: ( { key = "optimizer.rate"; values = [ 0.003, 0.01, 0.03 ]; }, { key = "train.batch"; values = [ 16, 32, 64, 128 ]; } ); };'

# sweep FOLDER ARGUMENT...: quiet, into WORK/FOLDER; `code` is what it ended with.
sweep() {
	into=$WORK/$1
	shift
	code=0
	"$AEXP" sweep "$@" -q -o "$into" >"$WORK/out" 2>"$WORK/err" || code=$?
}

# result FOLDER: the path of the one sweep.json below WORK/FOLDER.
result() {
	find "$WORK/$1" -name sweep.json
}

# same FOLDER FOLDER: the same result, and the same runs with the same metrics, in two results folders.
same() {
	cmp "$(result "$1")" "$(result "$2")" || fail "sweep.json of $1 and $2 differ"
	for one in "$1" "$2"; do
		(cd "$WORK/$one" && find . -name metrics.json | sort | xargs cat | cksum && find . -name metrics.json | sort) >"$WORK/$one.runs"
	done
	cmp "$WORK/$1.runs" "$WORK/$2.runs" || fail "the runs of $1 and $2 differ"
}

# finish times of runs: a run that is done twice has another.
stamps() {
	find "$WORK/$1" -name '.*.tmp' -prune -o -name metrics.json -exec stat -c '%n %y %i' {} + | sort
}
