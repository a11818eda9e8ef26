#!/bin/bash
# Two processes on one run folder: the second waits, says who has it, and then finds it finished; a killed owner's claim is
# taken over. The same where a file system has no locks, and from another machine that does not see them: there an owner
# is alive as long as it touches its file. Usage: claims.sh AEXP SOURCE [LIBRARY]   LIBRARY: interposed.c
set -eu
AEXP=$1 SOURCE=$2 LIBRARY=${3-}
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
. "$SOURCE/tests/resume/common.sh"

write dense_adam "$WORK/small.cfg" openblas
long='-s train.epochs=200'
"$AEXP" run "$WORK/small.cfg" $long -q -t 1 -o "$WORK/calm" >/dev/null

# wait_for TEXT FILE: until the file holds it.
wait_for() {
	for ((i = 0; i < 1000; i++)); do
		grep -qs -- "$1" "$2" && return
		sleep 0.02
	done
	fail "no \"$1\" in $2: $(cat "$2" 2>/dev/null)"
}

# one NAME HOST ARGUMENT...: a run in the background, with its standard error in WORK/NAME.err. Sets `child`.
one() {
	name=$1 host=$2
	shift 2
	: >"$WORK/$name.err" # not what an earlier one said
	env ${preload:+LD_PRELOAD="$preload"} AEXP_TEST_HOST="$host" "$AEXP" run "$WORK/small.cfg" $long -t 1 -o "$into" "$@" \
		>"$WORK/$name.out" 2>"$WORK/$name.err" &
	child=$!
}

# check WORDS HOST: two beside each other, of which the second is on HOST; then one that is killed, and the next.
check() {
	into=$WORK/${1// /-}
	one first here $often
	first=$child
	wait_for '' "$(claim)"
	one second "$2"
	second=$child
	wait_for 'waiting for it' "$WORK/second.err"
	grep -q "(host [^,]*, pid $first, since 20..-..-..T..:..:..Z)" "$WORK/second.err" || fail "$1: $(cat "$WORK/second.err")"
	wait "$first" || fail "$1: the first run failed: $(cat "$WORK/first.err")"
	wait "$second" || fail "$1: the second run failed: $(cat "$WORK/second.err")"
	grep -q 'finished already' "$WORK/second.out" || fail "$1: the second one ran: $(cat "$WORK/second.out")"
	same "$WORK/calm" "$into" "$1" || true

	rm -rf "$into"
	one killed here $often
	wait_for 'epoch 1/' "$WORK/killed.err"
	kill -9 "$child"
	wait "$child" 2>/dev/null || true
	one next "$2"
	wait "$child" || fail "$1: after a kill: $(cat "$WORK/next.err")"
	grep -q 'going on from a checkpoint' "$WORK/next.err" || fail "$1: it did not go on: $(cat "$WORK/next.err")"
	same "$WORK/calm" "$into" "$1, killed" || true
}

# The file that says who has it.
claim() {
	for ((i = 0; i < 1000; i++)); do
		file=$(find "$into" -size +0 \( -name '.*.lock' -o -name '.*.owner' \) 2>/dev/null | head -1)
		[ -z "$file" ] || break
		sleep 0.01
	done
	echo "$file"
}

preload=
check 'locks' here
if [ -n "$LIBRARY" ]; then
	preload=$(realpath "$LIBRARY")
	export AEXP_TEST_FLOCK=none
	check 'no locks' here
	check 'no locks, another host' there
	export AEXP_TEST_FLOCK=local
	check 'locks of each host alone' there
fi
[ -z "$failed" ]
