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

# A process of the same host's name that is not of this machine, or of another container: its pid says nothing here.
check_same_name() {
	into=$WORK/same-name
	claimed=$into/small/.$(basename "$(dirname "$(find "$WORK/calm" -name metrics.json)")").owner
	mkdir -p "$into/small"
	echo 'host here, pid 999999999999, since 2026-11-26T19:00:00Z, born 5, boot 0-0/1' >"$claimed"
	one stranger here
	wait_for 'waiting for it' "$WORK/stranger.err"
	for i in 1 2 3 4 5 6; do
		touch "$claimed"
		sleep 0.5
	done
	! grep -q 'epoch' "$WORK/stranger.err" || fail "the same name: it took over what lives: $(cat "$WORK/stranger.err")"
	kill "$child"
	wait "$child" 2>/dev/null || true
	# The same words of this boot: such a pid there is not.
	sed -i "s|boot .*|boot $(cat /proc/sys/kernel/random/boot_id)/$(readlink /proc/self/ns/pid | tr -cd 0-9)|" "$claimed"
	one next here
	wait "$child" || fail "the same name: $(cat "$WORK/next.err")"
	same "$WORK/calm" "$into" "the same name" || true
}

# An owner touches its file by a clock that nobody sets.
check_clock() {
	into=$WORK/clock
	export AEXP_TEST_CLOCK=ahead
	one early here -s train.epochs=1000000
	unset AEXP_TEST_CLOCK
	wait_for '' "$(claim)"
	file=$(claim) before=$(stat -c %y "$file")
	for ((i = 0; i < 80; i++)); do
		[ "$(stat -c %y "$file")" = "$before" ] || break
		sleep 0.1
	done
	[ "$(stat -c %y "$file")" != "$before" ] || fail "a clock that is set back: the claim is not touched"
	kill -9 "$child"
	wait "$child" 2>/dev/null || true
}

# Started with standard error closed, it must not write messages into the first file that it opens.
check_closed() {
	into=$WORK/closed
	"$AEXP" run "$WORK/small.cfg" $long $often -t 1 -o "$into" >/dev/null 2>&- &
	child=$!
	for ((i = 0; i < 1000; i++)); do
		[ -z "$(find "$into" -name '*.ckpt' 2>/dev/null)" ] || break
		sleep 0.01
	done
	[ "$(wc -l <"$(claim)")" = 1 ] && grep -q '^host ' "$(claim)" || fail "closed streams: the claim holds $(cat "$(claim)")"
	kill -9 "$child"
	wait "$child" 2>/dev/null || true
}

preload=
check_closed
check 'locks' here
if [ -n "$LIBRARY" ]; then
	preload=$(realpath "$LIBRARY")
	export AEXP_TEST_FLOCK=none
	check 'no locks' here
	check 'no locks, another host' there
	check_same_name
	check_clock
	export AEXP_TEST_FLOCK=local
	check 'locks of each host alone' there
fi
[ -z "$failed" ]
