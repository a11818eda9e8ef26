#!/bin/sh
# Input made to do harm: bombs, lines without end, headers that lie, chains and circles, floods of errors, names that a shell
# or a terminal would obey. Each ends with its exit code and message, within seconds, and within an address space of
# MEMORY KiB (0: not limited, as a sanitizer needs all of it). Usage: test_hostile.sh AEXP FOLDER MEMORY
set -eu
. "$(dirname "$0")/common.sh"
corpus=$source/tests/fuzz/corpus
real=$aexp
cat >"$work/limited" <<END
#!/bin/sh
[ "$3" = 0 ] || ulimit -v "$3"
ulimit -t 60 # seconds of the processor, which others may need, too
exec timeout -k 5 250 "$real" "\$@"
END
chmod +x "$work/limited"
aexp=$work/limited
cd "$work"

# experiment FILE TEXT: good.cfg with some more.
experiment() { printf 'extends = "%s";\n%s\n' "$good" "$2" >"$1"; }
# ratings PATH: an experiment that reads a file of ratings.
ratings() {
	experiment ratings.cfg "data: { source: { format = \"delimited\"; path = \"$1\"; columns: { user = 1; item = 2; rating = 3; }; }; };"
}

# --- compressed files ---
head -c 300000000 /dev/zero | tr '\0' '\n' | gzip -1 >lines.csv.gz
ratings lines.csv.gz
run 3 data ratings.cfg
err 'lines.csv.gz" unpacks to more than 200 times its size'
truncate -s 300000000 zeros
printf 'user,item,rating\nu1,i1,3\n' >r.csv
if tar -cf - zeros r.csv 2>/dev/null | gzip -1 >bomb.tar.gz; then
	ratings bomb.tar.gz
	run 3 data ratings.cfg
	err 'bomb.tar.gz" unpacks to more than 200 times its size'
fi
tail -c +2 "$corpus/packed/tar-sparse" >sparse.tar # its header says 8 GiB
ratings sparse.tar
run 3 data ratings.cfg
tail -c +2 "$corpus/packed/tar-links" >links.tar.gz # two links to /etc/passwd, and a file that calls itself /etc/r.csv
ratings links.tar.gz
run 0 data ratings.cfg --json
out '"ratings": 2'
tail -c +2 "$corpus/packed/gz-gz" >twice.csv.gz
ratings twice.csv.gz
run 0 data ratings.cfg --json

# Headers that ask for memory: a dictionary of 1.5 GiB, a window of 2 GiB. They may be had or not; nothing breaks.
seq 1 2000 | awk 'BEGIN { print "user,item,rating" } { print "u" $1 % 50 ",i" $1 ",3" }' >wide.csv
for pack in 'xz --lzma2=dict=1536MiB' 'zstd -q --ultra --long=31'; do
	command -v "${pack%% *}" >/dev/null || continue
	$pack -c wide.csv >wide.csv.packed
	ratings wide.csv.packed
	code=0
	"$aexp" data ratings.cfg >"$work/out" 2>"$work/err" || code=$?
	[ "$code" = 0 ] || { [ "$code" = 3 ] && [ -s "$work/err" ]; } || fail "$pack: exit code $code: $(cat "$work/err")"
done

# --- tables ---
printf 'user,item,rating' >line.csv # what are zeros alone counts as an empty archive
truncate -s 1000000000 line.csv
ratings line.csv
run 3 data ratings.cfg
err 'line.csv:1: the line is longer than 1 MiB'
printf '\n\nu1,i1,3\nu2,i1,4\n' >empty-first.csv
ratings empty-first.csv
run 0 data ratings.cfg -s data.source.header=false
printf 'user,item,rating\nu1,i1,\033]0;owned\007\n' >terminal.csv
ratings terminal.csv
run 3 data ratings.cfg
err 'rating "?]0;owned?" is not a finite number'
printf 'user,item,rating\nu1,i1,nan\n' >nan.csv
ratings nan.csv
run 3 data ratings.cfg
err 'rating "nan" is not a finite number'
for users in 2147483647 2147483648 4294967296 9223372036854775807 100000000000000000000; do
	experiment users.cfg "data: { source: { users = $users; }; };"
	run 2 plan users.cfg
done

# --- experiment files ---
experiment deep.cfg "$(printf 'a = '; head -c 100 /dev/zero | tr '\0' '(')"
run 2 plan deep.cfg
err 'deep.cfg:2: nested deeper than 64'
i=0
while [ $i -lt 20 ]; do
	echo "extends = \"chain$((i + 1)).cfg\";" >chain$i.cfg
	i=$((i + 1))
done
run 2 plan chain0.cfg
err 'more than 16 files extend each other'
{
	printf 'x = "'
	head -c 3000000 /dev/zero | tr '\0' a
	echo '";'
} >wide.cfg
{
	printf 'extends = [ "wide.cfg"'
	i=0
	while [ $i -lt 200 ]; do
		printf ', "wide.cfg"'
		i=$((i + 1))
	done
	echo ' ];'
} >again.cfg
run 2 plan again.cfg
err 'files that extend each other have more than 8388608 bytes in all'
for path in /dev/zero .; do
	echo "extends = \"$path\";" >reads.cfg
	run 2 plan reads.cfg
	err "cannot read \"$path\""
done
mkfifo pipe.cfg
echo 'extends = "pipe.cfg";' >waits.cfg
run 2 plan waits.cfg
err 'cannot read "pipe.cfg"'
{
	echo 'x = ['
	awk 'BEGIN { for (i = 0; i < 300000; i++) print "\"\\x00\"," }'
	echo '"" ];'
} >flood.cfg
run 2 plan flood.cfg
err 'a string cannot hold "\x00"'
[ "$(grep -c cannot "$work/err")" -le 1000 ] || fail "more than 1000 errors"
awk 'BEGIN { print "graph: ("; for (i = 0; i < 5000; i++) print "{ op = \"activation\"; activation = \"relu\"; }, ";
	print "{ op = \"dense\"; units = \"items\"; } );" }' >nodes.txt
experiment nodes.cfg "$(cat nodes.txt)"
run 2 plan nodes.cfg
err 'the graph has 5001 nodes, but may have at most 4096'
awk 'BEGIN { print "graph: ("; print "{ name = \"c0\"; op = \"dense\"; input = \"ratings\"; units = 8; },";
	for (i = 1; i < 80; i++) printf "{ name = \"c%d\"; op = \"concat\"; inputs = [ \"c%d\", \"c%d\" ]; },\n", i, i - 1, i - 1;
	print "{ op = \"dense\"; units = \"items\"; } );" }' >double.txt
experiment double.cfg "$(cat double.txt)"
run 2 plan double.cfg
err 'wide, but may be at most 1073741824'
awk 'BEGIN { printf "metrics = [ \"mse\""; for (i = 0; i < 20000; i++) printf ", \"m%d\"", i; print " ];" }' >metrics.txt
experiment metrics.cfg "$(cat metrics.txt)"
run 2 plan metrics.cfg
err 'more than 10000 elements in one list'

# --- names ---
name="a'b\\\"c\`touch owned\`\$(touch owned);|&<>%%"
experiment names.cfg "name = \"$name\";"
run 0 run names.cfg -o results -q
[ -z "$(find . -name 'owned*')" ] || fail "a name was obeyed"
run 0 list -o results --latex
run 0 list -o results --csv
run 0 plot -o results "$(find results -name metrics.json | sed 's|/metrics.json||')"
[ -z "$(find . -name 'owned*')" ] || fail "a name was obeyed when drawn again"
experiment escape.cfg 'name = "a\x1b[2Jb";'
run 2 plan escape.cfg
err '"a?[2Jb" cannot be the name of a folder'

# --- models and what they are asked ---
cp "$(find results -name model.safetensors)" model.safetensors
head -c 100000000 /dev/zero | tr '\0' a >"$work/in"
run 3 recommend model.safetensors
err 'standard input:1: the line is longer than 67108864 bytes'
{
	echo 'id,item,rating'
	awk 'BEGIN { for (i = 0; i < 8000000; i++) print "u,i,3.00000" }'
} >"$work/in"
run 3 recommend model.safetensors
err 'more lines than are said of the user "u"'
awk 'BEGIN { printf "{\"user\": {\"a\": 1"; for (i = 0; i < 5000; i++) printf ", \"a%d\": 1", i; print "}}" }' >"$work/in"
run 3 recommend model.safetensors
err 'a user has more than 4096 attributes'
awk 'BEGIN { printf "{\"items\": ["; for (i = 0; i < 9000000; i++) printf "0,"; print "0]}" }' >"$work/in"
run 3 predict model.safetensors
err 'more on a line than is said of a user'
{
	printf '{"id": '
	head -c 2000000 /dev/zero | tr '\0' '['
} >"$work/in"
run 3 recommend model.safetensors
err 'not one JSON object on a line'
echo '{"id": "a", "ratings": {"1": 1e999}}' >"$work/in"
run 3 recommend model.safetensors
err 'no number is the rating of "1"'
printf 'id,item,rating\nu,1,nan\n' >"$work/in"
run 3 recommend model.safetensors
err 'no number is the rating "nan"'
for line in '{"id": "a\u0000b", "ratings": {"1": 5}}' '{"id": "a", "ratings": {"1\u0000x": 5}}'; do # cJSON would read "a" and "1"
	printf '%s\n' "$line" >"$work/in"
	run 3 recommend model.safetensors
	err 'standard input:1: the line holds the character NUL'
done
: >"$work/in"
# model HEADER BODY: a file of that header, whatever it says of the body; printf's escapes.
model() {
	length=$((($(printf '%s' "$1" | wc -c) + 7) / 8 * 8))
	printf "$(printf '\\%03o\\%03o\\0\\0\\0\\0\\0\\0' $((length % 256)) $((length / 256)))"
	printf "%-${length}s" "$1"
	printf "$2"
}
eight='\0\0\0\0\0\0\0\0'
model '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}} ' "$eight\0\0\0\0" >m
run 3 recommend m
err 'over another one, or behind a hole, lies the tensor "b"'
model '{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}} ' '' >m
run 3 recommend m
err 'no shape of one or two dimensions has the tensor "a"'
model '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ' '\0\0\300\177\0\0\0\0' >m
run 3 recommend m
err 'numbers that are not finite has the tensor "a"'
model '{"a\u0000":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} ' "$eight" >m
run 3 recommend m
err 'the header holds the character NUL'
printf '\377\377\377\377\377\377\377\177{}' >m
run 3 recommend m
err 'the header is longer than the file'
{ printf '\000\341\365\005\0\0\0\0{"a":['; head -c 99999994 /dev/zero | tr '\0' ','; } >m
run 3 recommend m
err 'the header has more values than any model needs'

# --- results of others ---
mkdir -p results/x/1 results/x/2 results/x/3
mkfifo results/x/1/metrics.json results/x/1/experiment.cfg
printf '{"schema": "aexp.summary/1", "backend": "b", "protocol": "p", "runs": [{"id": "../../../etc"}], "final": {"test": {"mse": {"mean": 1, "low": 1, "high": 1}}}}' >results/x/2/summary.json
printf 'seed = 1;' >results/x/2/experiment.cfg
{ printf '{"schema": ['; head -c 20000000 /dev/zero | tr '\0' ','; } >results/x/3/metrics.json
run 0 list -o results
run 0 show -o results x/2
run 2 plot -o results x/3
err 'is not finished'
# A summary whose first run is itself, two whose first runs are each other, and a sweep whose trial is itself.
summary() {
	mkdir -p "results/y/$1"
	printf '{"schema": "aexp.summary/1", "experiment": "y", "id": "%s", "backend": "b", "protocol": "p", "runs": [{"id": "%s", "seed": "1"}, {"id": "%s", "seed": "2"}], "final": {"test": {"mse": {"mean": 1, "sd": 0, "low": 1, "high": 1, "values": [1, 1]}}}}' \
		"$1" "$2" "$2" >"results/y/$1/summary.json"
	cp "$(find results/a* -name experiment.cfg | head -n 1)" "results/y/$1/experiment.cfg"
}
summary aaaaaaaaaaaa aaaaaaaaaaaa
summary bbbbbbbbbbbb cccccccccccc
summary cccccccccccc bbbbbbbbbbbb
mkdir -p results/y/dddddddddddd
printf '{"schema": "aexp.sweep/1", "objectives": [{"metric": "valid.mse", "goal": "min"}], "trials": [{"trial": 1, "id": "dddddddddddd", "objectives": [1]}], "best": [1]}' \
	>results/y/dddddddddddd/sweep.json
cp results/y/aaaaaaaaaaaa/experiment.cfg results/y/dddddddddddd/given.cfg
for id in aaaaaaaaaaaa bbbbbbbbbbbb dddddddddddd; do
	for verb in list 'show y' 'compare y' 'plot y' 'recommend y' 'verify --integrity y' 'export y'; do
		code=0
		case $verb in list) set -- ;; *) set -- "${verb% *} results/y/$id" ;; esac
		"$aexp" ${1-list} -o results <"$work/in" >"$work/out" 2>"$work/err" || code=$?
		[ "$code" -le 3 ] || fail "$verb of results that name themselves ($id): exit code $code: $(cat "$work/err")"
	done
done
# Checkpoints are not where a link leads to.
"$aexp" run names.cfg -s name=plain -o linked -q >"$work/out" 2>"$work/err"
folder=$(dirname "$(find linked -name metrics.json)")
rm "$folder/metrics.json"
mkdir elsewhere
for file in 00000001.ckpt .tmp-1-0 mine; do
	echo mine >elsewhere/$file
done
ln -s "$work/elsewhere" "$folder/checkpoint"
run 0 run names.cfg -s name=plain -s train.checkpoint.share=1 -o linked
err 'checkpoint: is a link, not a folder'
[ "$(cat elsewhere/00000001.ckpt elsewhere/.tmp-1-0 elsewhere/mine | sort -u)" = mine ] && [ "$(ls -A elsewhere | wc -l)" = 3 ] ||
	fail "a link was followed: $(ls -A elsewhere)"
rm "$folder/checkpoint"

# --- results that are none: cut on the way, of a version to come, another run's ---
cp "$folder/metrics.json" whole.json
for change in 'd' 's/^/x/' 's|aexp.metrics/1|aexp.metrics/2|' 's/"id": "[0-9a-f]/"id": "x/'; do
	sed "$change" whole.json >"$folder/metrics.json"
	run 1 run names.cfg -s name=plain -o linked
	err 'run it again with --force'
	no_out
	sed "$change" whole.json | cmp -s - "$folder/metrics.json" || fail "what could not be read was written over"
done
run 0 run names.cfg -s name=plain -o linked --force -q
cmp whole.json "$folder/metrics.json" || fail "--force makes other results"
run 0 run names.cfg -s name=plain -o linked
out 'finished already'

# --- what is printed ---
mkdir -p "control/$(printf 'a\033[2J\302\233b')"
cp -r "$folder" "control/$(printf 'a\033[2J\302\233b')/"
if command -v script >/dev/null; then
	script -qec "'$aexp' list -o control" /dev/null <"$work/in" >"$work/out" 2>&1 || fail "list on a terminal: $(cat "$work/out")"
	out 'a?[2J?b'
	! grep -q "$(printf '\033')" "$work/out" || fail "a name reached the terminal as it is"
fi
run 0 list -o control --json
is_json
# Streams that are closed from the start: a file that is opened must not take their numbers.
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
	code=0
	rm -rf closed
	eval "\"\$aexp\" run names.cfg -s name=plain -o closed $closed" >"$work/out" 2>"$work/err" || code=$?
	case $closed in *' >&-'* | '>&-') [ "$code" = 1 ] || fail "standard output is closed: exit code $code" ;;
	*) [ "$code" = 0 ] || fail "$closed: exit code $code" ;; esac
	for file in metrics.json model.safetensors history.jsonl experiment.cfg; do
		cmp "$folder/$file" "closed/plain/$(basename "$folder")/$file" || fail "$closed: $file is not what it is otherwise"
	done
done
exit $failed
