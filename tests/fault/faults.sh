#!/bin/bash
# Makes calls of a small run fail, one at a time, at every place in the program that such a run comes by: writing, renaming,
# opening, mapping, allocating, the pipe to gnuplot and its start. After each: no crash and no hang; exit code 0 only with a
# folder that is whole; another finished run is untouched; the same command without a fault ends with the bytes of a run that
# nobody disturbed, and leaves nothing behind. Every other time it is a finished run that is run again (--force): it stays whole.
# Usage: faults.sh AEXP SOURCE LIBRARY [SECONDS]   LIBRARY: faults.c; SECONDS: as many places as fit, once each, in an order of
# chance; 0: each place once; without: every error at each place, and at more than one call. AEXP_FAULT_THREADS: of each run (1);
# AEXP_FAULT_PATIENCE: seconds until a run is said to hang (20)
set -eu
AEXP=$(realpath "$1") SOURCE=$(realpath "$2") LIBRARY=$(realpath "$3") SECONDS_MOST=${4-} THREADS=${AEXP_FAULT_THREADS-1} PATIENCE=${AEXP_FAULT_PATIENCE-20}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"
ENOENT=2 EINTR=4 EIO=5 ENOMEM=12 EMFILE=24 ENOSPC=28

# A run that does what runs do: reads a file and leaves a cache, writes checkpoints, draws.
write from_file "$WORK/small.cfg" openblas
cat >>"$WORK/small.cfg" <<'END'
train: { epochs = 3; batch = 64; early_stop: { metric = "valid.rmse"; patience = 3; }; };
END
grep -v '^train' "$WORK/base-openblas.cfg" >"$WORK/base" && mv "$WORK/base" "$WORK/base-openblas.cfg"
run() { "$AEXP" run "$WORK/small.cfg" $often -t "$THREADS" "$@"; }
run -q -o "$WORK/calm" >/dev/null
calm=$(dirname "$(find "$WORK/calm" -name metrics.json)")

# Pictures take longer than all else: they come from programs that copy what the real ones drew, where there are such.
mkdir "$WORK/bin" "$WORK/pictures"
for picture in loss.svg loss.png graph.svg; do
	[ ! -e "$calm/$picture" ] || cp "$calm/$picture" "$WORK/pictures/"
done
printf '#!/bin/sh\nexec cp "%s/loss.svg" "%s/loss.png" .\n' "$WORK/pictures" "$WORK/pictures" >"$WORK/bin/gnuplot"
printf '#!/bin/sh\nexec cp "%s/graph.svg" .\n' "$WORK/pictures" >"$WORK/bin/dot"
chmod +x "$WORK/bin/gnuplot" "$WORK/bin/dot"
export PATH="$WORK/bin:$PATH"

# What a fault begins with: another run of the same results folder, finished, and no more.
run -q -s seed=12 -o "$WORK/earlier" >/dev/null
rm -rf "$WORK/earlier/.cache"
(cd "$WORK/earlier" && find . -type f -exec cksum {} +) >"$WORK/sums"

LD_PRELOAD="$LIBRARY" AEXP_FAULT_LIST="$WORK/places" run -q -o "$WORK/listed" >/dev/null
[ -s "$WORK/places" ] || { echo "no place was found"; exit 1; }

# errors KIND: those that are tried; the first one is the one that is tried where time is short.
errors() {
	case $1 in
	malloc | calloc | realloc | aligned_alloc) echo $ENOMEM ;;
	mmap) echo $ENOMEM $EIO ;;
	open | opendir | fopen) echo $EMFILE $ENOSPC $EIO ;;
	write) echo $ENOSPC short $EINTR $EIO ;;
	read) echo $EIO short $EINTR ;;
	fwrite | fflush | fclose | mkdir | rename) echo $ENOSPC $EIO ;;
	fsync | close | ftruncate) echo $EIO $ENOSPC ;;
	pipe) echo $EMFILE ;;
	spawn) echo $ENOENT $ENOMEM ;;
	esac
}
# Each line: KIND PLACE CALL ERROR. Call 0 is all calls of that place.
while read -r kind place calls; do
	set -- $(errors "$kind")
	echo "$kind $place 1 $1"
	[ -z "$SECONDS_MOST" ] || continue
	for error; do
		[ "$error" = $EINTR ] || echo "$kind $place 0 $error" # whoever is interrupted for ever may try for ever
		[ "$error" = "$1" ] || echo "$kind $place 1 $error"
	done
	[ "$calls" -le 2 ] || echo "$kind $place $((calls / 2 + 1)) $1"
	[ "$calls" -le 1 ] || echo "$kind $place $calls $1"
done <"$WORK/places" | sort -u | shuf --random-source=<(yes 7) >"$WORK/all"
# Files and processes first: memory has two places in three.
(grep -v 'alloc ' "$WORK/all"; grep 'alloc ' "$WORK/all") >"$WORK/faults"

# whole FOLDER: the run below it is there and right.
whole() {
	for name in $results; do
		cmp -s "$calm/$name" "$1/$name" || return 1
	done
}
# try FAULT
try() {
	rm -rf "$WORK/tried"
	cp -r "$WORK/earlier" "$WORK/tried"
	folder=$WORK/tried/small/$(basename "$calm")
	code=0 force=
	[ $((tried % 2)) = 0 ] || force=--force
	[ -z "$force" ] || cp -r "$calm" "$folder"
	LD_PRELOAD="$LIBRARY" AEXP_FAULT="$1" timeout -k 5 "$PATIENCE" "$AEXP" run "$WORK/small.cfg" $often -t "$THREADS" -q $force -o "$WORK/tried" \
		>"$WORK/out" 2>"$WORK/err" || code=$?
	case $code in
	0) whole "$folder" || fail "$1: exit code 0, but the run is not whole" ;;
	1 | 2 | 3) [ -s "$WORK/err" ] || fail "$1: exit code $code without a word" ;;
	124 | 137) fail "$1: it hangs" ;;
	*) fail "$1: exit code $code: $(cat "$WORK/err")" ;;
	esac
	[ ! -e "$folder/metrics.json" ] || whole "$folder" || fail "$1: metrics.json beside files that are not whole"
	[ -z "$force" ] || whole "$folder" || fail "$1: the finished run is not whole any more"
	codes[$code]=$((${codes[$code]-0} + 1))
	run -q -o "$WORK/tried" >"$WORK/out" 2>"$WORK/err" || fail "$1: then it fails: $(cat "$WORK/err")"
	whole "$folder" || fail "$1: then other bytes"
	left=$(find "$WORK/tried" -name '*.tmp' -o -name '.tmp-*' -o -name '.*.lock' -o -name '.*.owner' -o -name checkpoint)
	[ -z "$left" ] || fail "$1: then left behind: $left"
	(cd "$WORK/tried" && cut -d' ' -f3 "$WORK/sums" | xargs cksum) 2>&1 | cmp -s - "$WORK/sums" || fail "$1: the earlier run is not what it was"
}
declare -A codes
tried=0 started=$(date +%s)
while read -r fault; do
	[ "${SECONDS_MOST:-0}" = 0 ] || [ $(($(date +%s) - started)) -lt "$SECONDS_MOST" ] || break
	try "$fault"
	tried=$((tried + 1))
	[ $((tried % 200)) != 0 ] || echo "$tried of $(wc -l <"$WORK/faults") after $(($(date +%s) - started)) s" >&2
done <"$WORK/faults"
echo "$(wc -l <"$WORK/places") places, $tried of $(wc -l <"$WORK/faults") faults tried; exit codes:$(for code in "${!codes[@]}"; do echo -n " $code: ${codes[$code]}"; done)"
cut -d' ' -f1 "$WORK/places" | sort | uniq -c
[ -z "$failed" ]
