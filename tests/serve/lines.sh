#!/bin/bash
# recommend --serve and predict --serve: a line in, a line out at once; bad lines are answered and survived; the model is
# opened anew between two lines; an end by signal or by the end of the input. Usage: lines.sh AEXP SOURCE
set -eu
. "$(dirname "$0")/common.sh"
make_models

# --- as the command line without it ---
for ((i = 1; i <= 12; i++)); do
	printf '{"ratings": {"P00%02d": 5}}\n' $i
done >in
printf '{"id": "last", "user": {"skin_type": "Dry"}}' >>in # no end of line
while read -r line || [ -n "$line" ]; do
	printf '%s\n' "$line" | "$aexp" recommend model.safetensors --json --top 3
done <in | sed 's/^{"id": "1"/{"id": "N"/' >wanted
"$aexp" recommend model.safetensors --serve --top 3 <in | sed 's/^{"id": "[0-9]*"/{"id": "N"/' >got
cmp -s wanted got || fail "other answers than without --serve"
echo '{"ratings": {"P0001": 5}, "items": ["P0002"]}' >in
"$aexp" predict model.safetensors --json <in >wanted
"$aexp" predict model.safetensors --serve <in >got
cmp -s wanted got || fail "another prediction"

# --- bad lines ---
{
	printf '{"ratings": \n\n   \nid,item\n{"rating": {}}\n{"ratings": {"P0001": "x"}}\n{"id": "a\0b"}\n'
	head -c 3000000 /dev/zero | tr '\0' '['
	printf '\n[[[[[[\n\xff\xfe\n{"id": "good"}\n{"user": {"skin_type": "Dry"}}\r\n'
	head -c 1048576 /dev/zero | tr '\0' ' '
	printf '\n{"id": "cut'
} >in
"$aexp" recommend model.safetensors --serve --top 1 <in >got 2>said || fail "bad lines end it"
[ "$(wc -l <got)" = 12 ] || fail "not an answer for each line: $(cat got)"
[ "$(grep -c '^{"error": ' got)" = 10 ] || fail "not ten errors: $(cat got)"
grep -q '^{"error": "the line is too long", "line": 8}$' got || fail "the long line: $(cat got)"
grep -q '^{"error": "there is no member .*"hint": "Did you mean .*", "line": 5}$' got || fail "the hint: $(cat got)"
grep -q '^{"id": "good", .*popularity' got || fail "the good line: $(cat got)"
grep -q '^{"id": "12", .*"attributes"}$' got || fail "the line of attributes: $(cat got)"

# --- at once, and a model that is replaced ---
mkfifo in.fifo out.fifo
"$aexp" recommend model.safetensors --serve --top 2 <in.fifo >out.fifo 2>said &
server=$!
exec 5>in.fifo 6<out.fifo
# asked: the answer to one more line, which must come while the input stays open
asked() {
	echo '{"id": "x", "ratings": {"P0001": 5, "P0002": 1}}' >&5
	read -r -t 10 answer <&6 || fail "no answer: $(cat said)"
}
asked
first=$answer
cp other.safetensors next
mv next model.safetensors
kill -HUP "$server"
until_says said 'the model was opened anew: two/'
asked
[ "$answer" != "$first" ] || fail "the old model answers"
second=$answer
echo nothing >next
mv next model.safetensors # without a signal: it is seen
until_says said 'the old model stays: model.safetensors: no model that can be used'
asked
[ "$answer" = "$second" ] || fail "the old model did not stay"
sleep 1.5
[ "$(grep -c 'the old model stays' said)" = 1 ] || fail "it says so again and again"
cp results/one/*/model.safetensors model.safetensors
until_says said 'the model was opened anew: one/'
asked
[ "$answer" = "$first" ] || fail "another answer of the first model"
stopped TERM
exec 5>&- 6<&-

# --- ends ---
"$aexp" recommend model.safetensors --serve </dev/null >got || fail "no input ends with $?"
[ ! -s got ] || fail "an answer to nothing"
code=0
code=0
if [ -e /dev/full ]; then
	echo '{}' | "$aexp" recommend model.safetensors --serve >/dev/full 2>said || code=$?
	[ "$code" = 1 ] && grep -q 'answers cannot be written' said || fail "a full disk: $code $(cat said)"
fi
"$aexp" run "$source/tests/recommend/heldout.cfg" -q -s name=items -s data.rows=items -s data.split.kind=ratio -s data.split.valid=0 -o results >/dev/null 2>said || fail "$(cat said)"
code=0
"$aexp" recommend items --serve -o results </dev/null 2>said || code=$?
[ "$code" = 2 ] && grep -q 'a row of this model is an item' said || fail "rows are items: $code $(cat said)"
exit $failed
