#!/bin/sh
# recommend, predict and export from outside: forms of input and output, what is refused and how, models that lie.
# Usage: test_recommend.sh AEXP FOLDER   FOLDER holds good.cfg, a run of a moment.
set -eu
. "$(dirname "$0")/common.sh"
cd "$work"
say() { printf '%b' "$*" >"$work/in"; }
say ''

run 0 run "$good" -q
id=$(basename "$(dirname "$(find results/good -name metrics.json)")")
model=results/good/$id/model.safetensors

# --- the same run by any name ---
say '{"ratings": {"P0001": 5, "P0003": 4}}\n'
run 0 recommend good --json
cp out first
no_err
for name in "good/$id" "$id" "results/good/$id" "$model"; do
	run 0 recommend "$name" --json
	cmp -s out first || fail "$last: another answer"
done
cp "$model" moved
chmod a-w moved
run 0 recommend moved --json -t 1
cmp -s out first || fail "$last: another answer"
run 2 recommend nowhere
err 'no run "nowhere"'
mkdir empty && run 2 recommend empty
run 3 recommend "$good"
err 'no model that can be used'

# --- forms ---
[ "$(tr ',' '\n' <first | grep -c '"item"')" = 10 ] || fail "not ten items by default"
grep -q '^{"id": "1", "items": \[{"item": "P00' first || fail "the form of JSON lines: $(cat first)"
! grep -qE '"P0001"|"P0003"' first || fail "what was rated is recommended"
run 0 recommend moved --json --include-rated --top 12
out '"P0001"'
say '\0357\0273\0277id,rating,item\r\n"a ""b""",5,P0001\r\n"a ""b""",4,"P0003"\r\n\r\nc,1,P0002\r\n'
run 0 recommend moved --csv --top 2
no_err
[ "$(wc -l <out)" = 5 ] || fail "$last: not two lines a user"
out '"a ""b""",P00'
say '{"id": 17, "ratings": {"P0001": 5}}\n\n{"id": "x", "ratings": {"P0001": 5}}\n'
run 0 recommend moved --top 1
out '17  (from ratings)'
out 'x  (from ratings)'
say ''
run 0 recommend moved
no_out
run 0 recommend moved --csv
[ "$(cat out)" = 'id,item,score,title,from,because' ] || fail "$last: no header"

# --- what is unknown, and what cannot be read ---
say '{"id": "n", "ratings": {"P0001": 5, "Q": 3}, "user": {"shoe": "42"}}\n'
run 0 recommend moved --json
err 'user "n": item "Q" is unknown, its rating is left out'
err 'user "n": the model knows no attribute "shoe"'
run 0 recommend moved --json -q
no_err
run 3 recommend moved --strict
err 'item "Q" is unknown'
no_out
# bad TEXT MESSAGE
bad() {
	say "$1"
	run 3 recommend moved --json
	err "$2"
}
bad '{"id": "n"' 'standard input:1: not one JSON object'
bad '[1]' 'the header lacks a column'
bad '{"id": "n"} {}' 'not one JSON object on a line'
bad '{"id": "n"}\n{"id": []}' 'standard input:2: the id is neither a word nor a number'
out '"n"'
bad '{"rating": {"P0001": 5}}' 'there is no member "rating"'
err 'Did you mean "ratings"?'
bad '{"items": ["P0001"]}' 'there is no member "items"'
bad '{"ratings": {"P0001": "5"}}' 'no number is the rating of "P0001"'
bad '{"ratings": {"P0001": 1e999}}' 'rating'
bad '{"ratings": {"P0001": 5, "P0001": 4}}' 'item "P0001" is rated twice'
bad '{"ratings": 5}' '"ratings" is no object'
bad '{"user": {"a": {}}}' 'neither words nor a number'
bad 'id,item\nn,P0001\n' 'the header lacks a column'
err 'It is id,item,rating'
bad 'id,item,rating\nn,P0001\n' 'standard input:2: the line has not as many fields'
bad 'id,item,rating\nn,P0001,x\n' 'no number is the rating "x"'
bad 'id,item,rating\nn,P0001,\n' 'without a rating is the item "P0001"'
bad 'id,item,rating\nn,,4\n' 'a rating without an item'
bad 'id,item,rating\n"n,P0001,4\n' 'a quoted field is not closed'
bad 'id,item,rating\nn\0000,P0001,4\n' 'NUL'

# --- users of the run's data ---
say ''
run 0 recommend good --all --top 1 --csv
users=$(($(wc -l <out) - 1))
[ "$users" -gt 30 ] || fail "$last: $users users"
user=$(sed -n 2p out | cut -d, -f1)
# Many at once and one alone, on any number of threads: the same lists.
run 0 recommend good --all --top 3 --csv -t 1
cp out all
run 0 recommend good --all --top 3 --csv -t 3
cmp -s out all || fail "$last: other lists than on one thread"
for one in $(sed -n 's/^\([^,]*\),.*/\1/p' all | sort -u | head -n 9 | tail -n 8); do
	[ "$one" != id ] || continue
	run 0 recommend good --user "$one" --top 3 --csv
	grep "^$one," all | cut -d, -f1,2 >many
	tail -n +2 out | cut -d, -f1,2 | cmp -s - many || fail "$last: other items than among all"
done
run 0 recommend good --user "$user" --top 1 --csv
[ "$(wc -l <out)" = 2 ] || fail "$last: not one line"
run 2 recommend good --user nobody
err 'no user "nobody" in the data of the run'
run 2 recommend moved --user "$user"
err 'users of the run'"'"'s data need the run'"'"'s folder'
run 2 recommend good --all --user "$user"
err 'only one of'
cp -r "results/good/$id" other
sed -i 's/ratings = 160/ratings = 161/' other/experiment.cfg
run 3 recommend other --all
err 'the data is not what the model was trained on'
say "id,item\n$user,P0001\n$user,P0002\n"
run 0 predict good --csv
[ "$(wc -l <out)" = 3 ] || fail "$last: not two pairs"
cp out pairs
say "{\"id\": \"$user\", \"items\": [\"P0001\", \"P0002\"]}"
run 0 predict good --csv
cmp -s out pairs || fail "$last: other scores than by CSV"
run 2 predict moved
err 'stands alone'
say 'id,item\nnobody,P0001\n'
run 2 predict good
err 'no user "nobody"'
say '{"items": ["P0001"]}'
run 3 predict good
err 'whose predictions are wanted'
say '{"id": "n", "ratings": {}, "items": ["P0001", "Q"]}\n'
run 0 predict moved --json
out '"from": "nothing known"}'
err 'item "Q" is unknown'
run 3 predict moved --strict

# --- rows are items ---
run 0 run "$good" -q -s name=items -s data.rows=items
say '{"ratings": {"P0001": 5}}'
run 2 recommend items
err 'a row of this model is an item'
run 0 recommend items --similar P0001 --top 2
[ "$(wc -l <out)" = 3 ] || fail "$last: not two neighbours"
no_err
cp results/items/*/model.safetensors items.alone
run 2 recommend items.alone --similar P0001
err "its vectors are made of the run's data"
say ''
run 0 recommend items --all --top 2 --csv
[ "$(wc -l <out)" -gt 60 ] || fail "$last: too few lines"
run 2 recommend items --all --explain
err "a user's other ratings are no input"
no_out
say "id,item\n$user,P0001\n"
run 0 predict items --csv
[ "$(wc -l <out)" = 2 ] || fail "$last: not one pair"

# --- reasons, neighbours ---
say '{"ratings": {"P0001": 5, "P0003": 4, "P0004": 1}}'
run 0 recommend moved --explain --json
out '"because": [{"item": "P000'
run 0 recommend moved --similar P0001 --top 2
[ "$(wc -l <out)" = 3 ] || fail "$last: not two neighbours"
run 3 recommend moved --similar Q
err 'knows no item "Q"'

# --- models without a graph ---
for kind in ease item_knn pure_svd user_item_bias item_mean popularity; do
	more=
	[ $kind != pure_svd ] || more='-s model.factors=3'
	# shellcheck disable=SC2086
	run 0 run "$source/tests/recommend/fitted.cfg" -q -s name=$kind -s model.kind=$kind $more
	run 0 recommend $kind --json --top 1
	no_err
	case $kind in
	ease | item_knn | pure_svd) run 0 recommend $kind --similar P0001 ;;
	*) run 2 recommend $kind --similar P0001 ;;
	esac
done

# --- export ---
run 0 export moved --format csv
[ "$(wc -l <out)" = 13 ] || fail "$last: not 12 items and a header"
[ "$(sed -n 2p out | tr ',' '\n' | wc -l)" = 6 ] || fail "$last: not four numbers an item"
run 0 export moved --format tsv --to projector
[ "$(wc -l <projector/vectors.tsv) $(wc -l <projector/metadata.tsv)" = '12 13' ] || fail "$last: vectors and their names"
run 0 export moved --format npz --to a.npz
run 0 export moved --format npz --to b.npz
cmp -s a.npz b.npz || fail "$last: not the same bytes"
run 2 export moved --format npz
err 'where to?'
run 2 export moved --format onnxx --to x
err 'no format of export'
run 2 export moved
err 'which format?'
run 1 export moved --format npz --to /no/such/folder/x.npz
run 0 export items --format csv
[ "$(sed -n 2p out | tr ',' '\n' | wc -l)" = 6 ] || fail "$last: not four numbers an item"
run 2 export items.alone --format csv
err "its vectors are made of the run's data"
run 0 export items.alone --format onnx --to items.onnx
run 2 export moved --format onnx
err 'where to?'
[ -z "$(find . -name '*.tmp')" ] || fail "a temporary file was left"

# --- models that lie ---
size=$(wc -c <moved)
say '{"ratings": {"P0001": 5}}'
for bytes in 0 7 8 9 100 $((size - 1)); do
	head -c "$bytes" moved >cut
	run 3 recommend cut
	no_out
done
{ cat moved; echo; } >longer
run 3 recommend longer
err 'behind the tensors'
sed 's/taste.weight/tasty.weight/' moved >renamed
run 3 recommend renamed
err 'a tensor of its graph is missing'
sed 's/\[0,192\]/[8,200]/' moved >shifted
cmp -s moved shifted && fail "no offset was changed"
run 3 recommend shifted
sed 's/units = 4/units = 9/' moved >wider
cmp -s moved wider && fail "no width was changed"
run 3 recommend wider
exit $failed
