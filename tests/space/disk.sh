#!/bin/bash
# Too little room, and folders that change under a run: refused before training where it can be known; in the middle of it
# an error, with all that was written still there; and once there is room, the bytes of a run that nobody disturbed.
# Mounts a small file system in memory where that is allowed (root), and says what it leaves out where it is not.
# Usage: disk.sh AEXP SOURCE
set -eu
AEXP=$1 SOURCE=$2
WORK=$(mktemp -d)
mounted=
trap '[ -z "$mounted" ] || umount -l "$WORK/disk"; chmod -R u+w "$WORK"; rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"

write dense_adam "$WORK/small.cfg" openblas
long="-s train.epochs=200"
each="-s train.checkpoint.share=1" # a checkpoint after each epoch
"$AEXP" run "$WORK/small.cfg" $long -q -t 1 -o "$WORK/calm" >/dev/null

# one CODE ARGUMENT...: a run, its standard error in WORK/err.
one() {
	wanted=$1 code=0
	shift
	"$AEXP" run "$WORK/small.cfg" $long -q -t 1 "$@" >"$WORK/out" 2>"$WORK/err" || code=$?
	[ "$code" = "$wanted" ] || fail "run $*: exit code $code, expected $wanted: $(cat "$WORK/err")"
}
err() { grep -q -- "$1" "$WORK/err" || fail "standard error lacks \"$1\": $(cat "$WORK/err")"; }

# begin ARGUMENT...: one in the background, until it trains. Sets `child`.
begin() {
	: >"$WORK/err"
	$as "$AEXP" run "$WORK/small.cfg" $long -t 1 -o "$into" "$@" >"$WORK/out" 2>"$WORK/err" &
	child=$!
	for ((i = 0; i < 1000; i++)); do
		grep -qs 'epoch [1-9]' "$WORK/err" && break
		sleep 0.01
	done
}
# end CODE...: one of these is what it ends with.
end() {
	code=0
	wait "$child" || code=$?
	[[ " $* " = *" $code "* ]] || fail "$case: exit code $code, expected $*: $(cat "$WORK/err")"
	[ "$code" -le 1 ] || return 0
	if [ "$code" = 0 ]; then
		same "$WORK/calm" "$into" "$case" || true
	elif [ -n "$(find "$into" -name metrics.json 2>/dev/null)" ]; then
		fail "$case: it failed, and left metrics.json"
	fi
}
# change COMMAND...: while the run stands still, so that it is done at one moment.
change() {
	kill -STOP "$child"
	"$@"
	kill -CONT "$child"
}
replace_by_file() {
	rm -rf "$path"
	echo mine >"$path"
}
replace_by_folder() {
	mv "$path" "$WORK/moved"
	mkdir "$path"
}
as=
folder() { dirname "$(find "$into" -name experiment.cfg)"; }

# --- known before ---

if ! grep -q __asan_init "$AEXP"; then # which needs more addresses than any limit leaves
	case='ulimit -v'
	(ulimit -v 4000000 && one 1 -s graph.taste.units=4000000 -o "$WORK/none" && cp "$WORK/err" "$WORK/limited") || fail "$case: $(cat "$WORK/err")"
	grep -q 'training needs [0-9.]* GiB of memory more, and [0-9.]* GiB of ulimit -v are left' "$WORK/limited" || fail "$case: $(cat "$WORK/limited")"
	case='ulimit -d'
	(ulimit -d 4000000 && one 1 -s graph.taste.units=4000000 -o "$WORK/none" && cp "$WORK/err" "$WORK/limited") || fail "$case"
	grep -q 'memory more, and [0-9.]* GiB of ulimit -d are left' "$WORK/limited" || fail "$case: $(cat "$WORK/limited")"
fi
case='ulimit -f'
(ulimit -f 50 && one 1 -o "$WORK/none" && cp "$WORK/err" "$WORK/limited") || fail "$case"
grep -q 'a file of up to [0-9.]* KiB is needed, and ulimit -f allows 50.0 KiB' "$WORK/limited" || fail "$case: $(cat "$WORK/limited")"
[ -z "$(find "$WORK/none" -type f 2>/dev/null)" ] || fail "what was refused left files: $(find "$WORK/none" -type f)"

# --- a limit that is met while writing is an error, not a signal ---

code=0
(ulimit -f 2 && exec "$AEXP" export "$(dirname "$(find "$WORK/calm" -name metrics.json)")" --format npz --to "$WORK/model.npz") \
	>"$WORK/out" 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "export beyond ulimit -f: exit code $code"
err 'cannot write ".*model.npz'
[ ! -e "$WORK/model.npz" ] || fail "export left half a file"
code=0
"$AEXP" list -o "$WORK/calm" >/dev/full 2>"$WORK/err" || code=$?
[ "$code" = 1 ] || fail "results that went nowhere: exit code $code"
err 'standard output cannot be written'

# --- folders that change ---

into=$WORK/changing
case='the folder is removed'
begin $each
change rm -rf "$into"
end 0 1
one 0 -o "$into"
same "$WORK/calm" "$into" "$case" || true

rm -rf "$into"
case='a file takes its place'
begin $each
path=$(folder)
change replace_by_file
end 1
[ -d "$path" ] || [ "$(cat "$path")" = mine ] || fail "$case: the file was written over"
rm -f "$path"
one 0 -o "$into"
same "$WORK/calm" "$into" "$case" || true

rm -rf "$into"
case='another folder takes its place'
begin $each
path=$(folder)
change replace_by_folder
end 0
[ -n "$(ls "$WORK/moved/checkpoint")" ] || fail "$case: what was moved away lost its checkpoints"
rm -rf "$WORK/moved"

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && chmod 755 "$WORK"; then
	as='setpriv --reuid=65534 --clear-groups'
	rm -rf "$into"
	mkdir "$into"
	chmod 777 "$into"
else
	rm -rf "$into"
fi
case='it becomes read-only'
begin $each
path=$(folder)
change chmod 555 "$path" "$path/checkpoint" "$(dirname "$path")"
before=$(cd "$path" && find . -name '*.ckpt' | sort)
end 1
err 'Permission denied'
[ "$(cd "$path" && find . -name '*.ckpt' | sort)" = "$before" ] || fail "$case: checkpoints are gone"
chmod 755 "$path" "$path/checkpoint" "$(dirname "$path")"
one 0 -v -o "$into"
same "$WORK/calm" "$into" "$case" || true
as=

# --- a full disk ---

mkdir "$WORK/disk"
if ! mount -t tmpfs -o size=1m tmpfs "$WORK/disk" 2>/dev/null; then
	echo "no file system can be mounted here: a full disk is left out"
	[ -z "$failed" ]
	exit
fi
mounted=1
into=$WORK/disk/results
fill() { cat /dev/zero >"$WORK/disk/filler" 2>/dev/null || true; }

case='a disk that is full before'
fill
one 1 -o "$into"
err 'needs [0-9.]* KiB of disk, and [0-9.]* [A-Z]*i*B are free there'
[ -z "$(find "$into" -type f 2>/dev/null)" ] || fail "$case: $(find "$into" -type f)"
rm "$WORK/disk/filler"

case='a disk that fills up'
begin $each
fill
before=$(find "$into" -name '*.ckpt' | wc -l)
end 1
err 'No space left on device'
[ "$before" -ge 1 ] && [ "$(find "$into" -name '*.ckpt' | wc -l)" -ge 1 ] || fail "$case: no checkpoint is left"
rm "$WORK/disk/filler"
"$AEXP" run "$WORK/small.cfg" $long -t 1 -o "$into" >"$WORK/out" 2>"$WORK/err" || fail "$case: $(cat "$WORK/err")"
err 'going on from a checkpoint'
same "$WORK/calm" "$into" "$case" || true

case='a disk that fills up, without checkpoints'
rm -rf "$into"
begin -s train.checkpoint.share=0
fill
end 1
err 'No space left on device'
rm "$WORK/disk/filler"
one 0 -o "$into"
same "$WORK/calm" "$into" "$case" || true

case='a finished run, run again on a full disk'
fill
one 1 --force -o "$into"
[ -n "$(find "$into" -name metrics.json)" ] || fail "$case: the earlier result is gone"
rm "$WORK/disk/filler"
same "$WORK/calm" "$into" "$case" || true

case='room for a run, and not for a cache too'
rm -rf "$into"
write from_file "$WORK/read.cfg" openblas
awk 'BEGIN { print "user,item,rating"; for (u = 1; u <= 30000; u++) print u "," 1 + u % 50 "," 1 + u % 5 }' >"$WORK/ratings.csv"
"$AEXP" run "$WORK/read.cfg" -s train.epochs=1 -q -o "$WORK/roomy" >/dev/null
[ -n "$(find "$WORK/roomy" -name '*.data')" ] || fail "$case: no cache where there is room"
"$AEXP" run "$WORK/read.cfg" -s train.epochs=1 -s train.batch=2000 -q -o "$into" >"$WORK/out" 2>"$WORK/err" || fail "$case: $(cat "$WORK/err")"
[ -z "$(find "$into" -name '*.data')" ] || fail "$case: a cache was left"

case='read-only from the beginning'
rm -rf "$into"
mount -o remount,ro "$WORK/disk"
one 1 -o "$into"
err 'Read-only file system'
mount -o remount,rw "$WORK/disk"

case='too few files can be made'
umount "$WORK/disk"
mount -t tmpfs -o size=1m,nr_inodes=20 tmpfs "$WORK/disk"
one 1 -o "$into"
err 'needs 40 files, and 1[0-9] more can be made there'
[ -z "$failed" ]
