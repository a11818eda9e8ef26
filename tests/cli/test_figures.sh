#!/bin/sh
# aexp figure and aexp plot from outside: what is missing is run and nothing else, pictures come again byte for byte, also
# from the script alone, and without gnuplot everything but the pictures is there.
# Usage: test_figures.sh AEXP FOLDER   FOLDER holds good.cfg, a run of a moment.
set -eu
. "$(dirname "$0")/common.sh"
have() { [ -f "$1" ] || fail "$last: no $1"; }
same() { cmp -s "$1" "$2" || fail "$last: $1 and $2 differ"; }
# When each run ended, and in which inode: a run that is done again has another.
stamps() { find "$results" -name metrics.json -exec stat -c '%n %y %i' {} + | sort; }

drawn=1
command -v gnuplot >/dev/null && command -v dot >/dev/null || drawn=
[ -n "$drawn" ] || echo "no gnuplot or no graphviz: the pictures are not looked at"
ended=0
[ -n "$drawn" ] || ended=1

cat >"$work/units.cfg" <<END
kind = "metric"; metric = "test.rmse"; key = "graph.taste.units"; formats = [ "svg", "pdf", "png", "tex" ];
runs = (
	{ file = "$good"; set = [ "metrics=[\"rmse\"]" ]; },
	{ file = "$good"; set = [ "metrics=[\"rmse\"]", "graph.taste.units=8", "repeats=2" ]; }
);
END
cat >"$work/loss.cfg" <<END
kind = "curves"; metrics = [ "train.loss" ]; runs = ( { file = "$good"; set = [ "metrics=[\"rmse\"]" ]; } );
END
cat >"$work/table.cfg" <<END
kind = "table"; columns = ( { figure = "test.rmse"; } ); runs = ( { file = "$good"; set = [ "metrics=[\"rmse\"]" ]; label = "a"; } );
END

# --- what is missing is run; then nothing is ---
run $ended figure "$work/units.cfg" "$work/loss.cfg" "$work/table.cfg" -o "$results" -q
out 'units'
stamps >"$work/before"
[ "$(wc -l <"$work/before")" -eq 3 ] || fail "not three runs: $(cat "$work/before")"
cp -r "$results/figures" "$work/figures"
run $ended figure "$work/units.cfg" "$work/loss.cfg" "$work/table.cfg" -o "$results" -q --json
out '"figure": "loss"'
stamps >"$work/after"
same "$work/before" "$work/after"
for file in $(cd "$work/figures" && find . -type f); do
	same "$work/figures/$file" "$results/figures/$file"
done
have "$results/figures/units/units.tsv"
have "$results/figures/units/units.gp"
have "$results/figures/table/table.md"
have "$results/figures/table/table.tex"
grep -q '"id": "[0-9a-f]*"' "$results/figures/units/figure.json" || fail "figure.json holds no run"
left=$(find "$results/figures" -name '.*' -mindepth 1)
[ -z "$left" ] || fail "left behind: $left"

# With -j repeats run beside each other: the same figure.
run $ended figure "$work/units.cfg" -o "$work/beside" -q -j 2
for file in units.tsv ${drawn:+units.svg}; do
	same "$results/figures/units/$file" "$work/beside/figures/units/$file"
done

# --- overrides are of the figure's file ---
run $ended figure "$work/loss.cfg" -o "$results" -q -s width=12 -s name=wide
have "$results/figures/wide/wide.gp"
grep -q '^width = 12.0$' "$results/figures/wide/wide.gp" || fail "wide.gp is not 12 cm wide"
run 2 figure "$work/loss.cfg" -o "$results" -s widht=12
err 'Did you mean "width"?'

# --- the pictures ---
if [ -n "$drawn" ]; then
	for ending in svg pdf png tex; do
		have "$results/figures/units/units.$ending"
		grep -q 'figure&quot;:\|"figure":' "$results/figures/units/units.$ending" || fail "units.$ending does not say what it is of"
	done
	have "$results/figures/units/units-inc.pdf"
	! grep -aq 'Date (D:20' "$results/figures/units/units.pdf" || fail "units.pdf holds a time"
	# The script alone draws it, but for what it is of.
	mkdir "$work/alone"
	cp "$results/figures/units/units.tsv" "$results/figures/units/units.gp" "$work/alone"
	(cd "$work/alone" && gnuplot -d units.gp) >"$work/out" 2>&1 || fail "gnuplot units.gp: $(cat "$work/out")"
	grep -v '^<metadata>' "$results/figures/units/units.svg" >"$work/without.svg"
	last='gnuplot units.gp'
	same "$work/without.svg" "$work/alone/units.svg"
	have "$work/alone/units.tex"
fi

# --- plot ---
one=$(dirname "$(find "$results/good" -name metrics.json | head -n 1)")
cp -r "$one" "$work/run"
rm -f "$one"/loss.* "$one"/graph.*
run $ended plot "$one" -o "$results"
for file in loss.tsv loss.gp graph.dot ${drawn:+loss.svg loss.png graph.svg}; do
	same "$work/run/$file" "$one/$file"
done
summary=$(dirname "$(find "$results/good" -name summary.json)")
run $ended plot "$summary" "$one" -o "$results"
have "$summary/curves.tsv"
run 2 plot "$one" none -o "$results"
err 'no run "none"'

# --- a sweep ---
cat >"$work/swept.cfg" <<END
extends = "$good"; metrics = [ "rmse" ];
sweep: { kind = "grid"; objective = "valid.rmse"; space: ( { key = "graph.taste.units"; values = [ 2, 4 ]; }, { key = "train.batch"; values = [ 8, 16 ]; } ); };
END
printf 'kind = "heatmap"; x = "graph.taste.units"; y = "train.batch"; sweeps = ( { file = "swept.cfg"; } );\n' >"$work/heat.cfg"
run $ended figure "$work/heat.cfg" -o "$results" -q -j 2
[ "$(wc -l <"$results/figures/heat/heat.tsv")" -eq 5 ] || fail "heat.tsv has not four cells"
folder=$(dirname "$(find "$results" -name sweep.json)")
run $ended plot "$folder" -o "$results"
for kind in search parallel heatmap; do
	have "$folder/$kind.gp"
	[ -z "$drawn" ] || have "$folder/$kind.svg"
done
printf 'kind = "search"; sweeps = ( { folder = "%s"; } );\n' "$folder" >"$work/search.cfg"
run $ended figure "$work/search.cfg" -o "$results" -q

# A trial that fails is no reason not to draw the others, and is said by the exit code.
cat >"$work/failing.cfg" <<END
extends = "$good"; metrics = [ "rmse" ]; optimizer = "sgd"; train: { epochs = 5; };
graph: ( { name = "taste"; op = "dense"; input = "ratings"; units = 4; }, { name = "score"; op = "dense"; units = "items"; } );
sweep: { kind = "grid"; objective = "valid.rmse"; space: ( { key = "optimizer.rate"; values = [ 0.01, 1e6 ]; } ); };
END
printf 'kind = "search"; sweeps = ( { file = "failing.cfg"; } );\n' >"$work/failing-figure.cfg"
run 1 figure "$work/failing-figure.cfg" -o "$work/failing" -q
have "$work/failing/figures/failing-figure/failing-figure.tsv"
[ -z "$drawn" ] || have "$work/failing/figures/failing-figure/failing-figure.svg"

# --- without gnuplot and graphviz ---
mkdir "$work/bin"
(
	PATH=$work/bin
	"$aexp" figure "$work/units.cfg" "$work/table.cfg" -o "$work/bare" -q
) >"$work/out" 2>"$work/err" && fail "figure without gnuplot: exit code 0"
last='figure without gnuplot'
err 'gnuplot is not installed: the pictures of units were not drawn (units.tsv and units.gp are there)'
have "$work/bare/figures/units/units.tsv"
have "$work/bare/figures/units/units.gp"
have "$work/bare/figures/units/figure.json"
have "$work/bare/figures/table/table.md"
[ ! -f "$work/bare/figures/units/units.svg" ] || fail "a picture without gnuplot"

(
	PATH=$work/bin
	"$aexp" plot "$one" -o "$results"
) >"$work/out" 2>"$work/err" && fail "plot without gnuplot: exit code 0"
last='plot without gnuplot'
err 'gnuplot is not installed: loss.svg and loss.png were not drawn'
err 'graphviz is not installed: graph.svg was not drawn'
have "$one/loss.gp"
have "$one/metrics.json"

# --- what ships ---
# Every figure file is good, and so is every run it names; what has its data elsewhere says so before anything runs.
for file in "$source"/experiments/figures/*.cfg; do
	name=$(basename "$file")
	case $name in
	beautybot-*) continue ;; # would run: its data is made
	esac
	code=0
	AEXP_DATA=$work/none "$aexp" figure "$file" -o "$work/ship" -q >"$work/out" 2>"$work/err" || code=$?
	[ "$code" = 3 ] || fail "$name without its data: exit code $code, not 3: $(cat "$work/err")"
	[ ! -e "$work/ship" ] || fail "$name left something behind"
done
exit "$failed"
