#!/bin/bash
# HTTP from outside: the answers of the command line byte for byte, alone and from many at once; every status; questions
# that are malformed, too long, slow, or cut off; and an end that loses nothing.
# Usage: http.sh AEXP SOURCE [BYTES]   BYTES: by which memory may grow; 0: any (a sanitizer keeps what was freed)
set -eu
. "$(dirname "$0")/common.sh"
growth=${3:-2000000}
command -v curl >/dev/null || { echo "no curl here"; exit 77; }
make_models

# status WANTED ARGUMENT...: asks by curl; the answer is in out, its headers in headers.
status() {
	local wanted=$1 got
	shift
	got=$(curl -s -m 20 -o out -D headers -w '%{http_code}' "$@") || got="curl: $?"
	[ "$got" = "$wanted" ] || fail "$*: $got, expected $wanted: $(cat out)"
}
out() { grep -qF -- "$1" out || fail "the answer lacks $1: $(cat out)"; }
header() { grep -qi -- "^$1" headers || fail "no header $1: $(cat headers)"; }

serve --timeout 2 --connections 8

# --- the command line's answers ---
for ((i = 0; i < 40; i++)); do
	printf '{"id": "u%d", "ratings": {"P00%02d": %d, "P00%02d": %d}, "user": {"skin_type": "Dry"}}\n' \
		$i $((i % 12 + 1)) $((i % 5 + 1)) $(((i + 5) % 12 + 1)) $(((i + 2) % 5 + 1)) >"$i.json"
	"$aexp" recommend model.safetensors --json --top 5 <"$i.json" >"$i.wanted"
done
export url
# Who comes before the server has seen that another has gone may be one too many, and is to come back in a moment.
seq 0 39 | xargs -P 8 -I{} sh -c 'curl -sf --retry 9 --data-binary @{}.json "$url/recommend?top=5" >{}.got'
for ((i = 0; i < 40; i++)); do
	cmp -s $i.wanted $i.got || fail "another answer than the command line's: $(cat $i.got)"
done
cat {0..39}.json >all.json
"$aexp" recommend model.safetensors --json --explain --include-rated <all.json >wanted
status 200 --data-binary @all.json "$url/recommend?explain=1&include_rated=true"
cmp -s wanted out || fail "another answer to many users"
header 'Content-Type: application/x-ndjson'
echo '{"ratings": {"P0001": 5, "Q": 1}, "items": ["P0002", "P0003"]}' >pairs.json
"$aexp" predict model.safetensors --json <pairs.json >wanted 2>err
status 200 --data-binary @pairs.json "$url/predict"
cmp -s wanted out || fail "another prediction"
header 'Content-Type: application/json'
header 'Aexp-Note: user "1": item "Q" is unknown, its rating is left out'
status 200 -d '{"id": "\u00e4", "ratings": {"\r\nEvil: 1": 5}}' "$url/recommend"
! grep -q '^Evil' headers || fail "a header was injected"
out '"from": "popularity"'
status 200 -d '{"user": {"skin_type": "Dry"}}' "$url/recommend"
out '"from": "attributes"'

# --- every status ---
status 200 "$url/"
out '<!DOCTYPE html>'
header 'Content-Security-Policy: '
! grep -qE '(src|href)="?(https?:)?//' out || fail "the page loads something"
status 200 "$url/healthz"
out '"status": "ok"'
status 200 -I "$url/healthz"
status 200 "$url/items?search=p0003"
out '"item": "P0003"'
status 200 "$url/model"
out '"name": "skin_type", "values": ['
status 400 -d '{"ratings": ' "$url/recommend"
out '{"error": "not one JSON object on a line", "line": 1}'
status 400 -d 'nothing' "$url/recommend"
status 400 -d '' "$url/recommend"
out 'nothing is asked'
status 400 -d '{}' "$url/recommend?top=0"
status 400 -d '{}' "$url/recommend?tpo=1"
out 'Did you mean \"top\"?'
status 400 -d '{}' "$url/recommend?top=1&top=1&top=1&top=1&top=1&top=1&top=1&top=1&top=1"
out 'too many parameters'
status 400 -d '{"ratings": {"Q": 1}}' "$url/recommend?strict=1"
status 400 -d '{"id": "1", "items": ["P0001"]}' "$url/predict"
out "users of the run's data are not served"
status 404 "$url/nowhere"
status 404 -d '{}' "$url/recommend/"
status 405 "$url/recommend"
header 'Allow: POST'
status 405 -X DELETE "$url/recommend"
status 405 -d '{}' "$url/healthz"
header 'Allow: GET, HEAD'
head -c 1048577 /dev/zero | tr '\0' ' ' >long
status 413 -H 'Expect:' --data-binary @long "$url/recommend"
status 413 -H 'Expect: 100-continue' --data-binary @long "$url/recommend"
status 413 -H 'Transfer-Encoding: chunked' -H 'Expect:' --data-binary @long "$url/recommend"
head -c 1048500 long >short
echo '{}' >>short
status 200 --data-binary @short "$url/recommend?top=1"
for ((i = 0; i < 4097; i++)); do echo '{}'; done >many
status 413 --data-binary @many "$url/recommend?top=1"
out 'too much at once'
status 431 -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$url/healthz"

# --- by hand: what no good client sends ---
# talk SECONDS TEXT...: sends each text, a pause behind each; what came back is in back.
talk() (
	trap '' PIPE
	pause=$1
	shift
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	for text; do
		printf '%b' "$text" >&3 2>/dev/null || break
		sleep "$pause"
	done
	timeout 5 cat <&3 >back || true
)
back() { head -n 1 back | grep -q "^HTTP/1.1 $1" || fail "$2: $(head -n 1 back)"; }
talk 0 'GET /healthz\r\n\r\n'
back 400 'no version'
talk 0 'GET /healthz HTTP/9.9\r\n\r\n'
back 505 'a version that is not there yet'
talk 0 'GET /healthz HTTP/1.1\r\nno header\r\n\r\n'
back 400 'a line that is no header'
talk 0 'POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n'
back 400 'a negative length'
talk 0 'POST /recommend HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
back 400 'no chunk'
talk 0.6 'POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n' '{' ' ' ' ' ' ' ' ' ' '
back 408 'a body drop by drop'
talk 0.6 'GET /healthz HTTP/1.1\r\n' 'A: 1\r\n' 'B: 2\r\n' 'C: 3\r\n' 'D: 4\r\n' 'E: 5\r\n' 'F: 6\r\n'
back 408 'headers drop by drop'
talk 0 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'
back 200 'a connection that then stays idle'
for ((i = 0; i < 30; i++)); do # cut off: in the headers, in the body, before the answer is read
	exec 3<>"/dev/tcp/127.0.0.1/$port"
	case $((i % 3)) in
	0) printf 'POST /recomm' >&3 ;;
	1) printf 'POST /recommend HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"id' >&3 ;;
	2) printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' >&3 ;;
	esac
	exec 3>&-
done
status 200 "$url/healthz"

# --- more connections than are served ---
sleep 2.5 # those before are gone
held=()
for ((i = 0; i < 8; i++)); do
	exec {fd}<>"/dev/tcp/127.0.0.1/$port"
	held+=("$fd")
done
sleep 0.3
status 503 "$url/healthz"
header 'Retry-After: 1'
header 'Connection: close'
for fd in "${held[@]}"; do exec {fd}>&-; done
sleep 0.3
status 200 "$url/healthz"

# --- figures ---
status 200 "$url/metrics"
for figure in 'aexp_requests_total{path="/recommend",status="200"} 4' 'aexp_requests_total{path="/recommend",status="413"}' \
	'aexp_requests_total{path="other",status="404"} 2' 'aexp_requests_total{path="other",status="408"} ' 'aexp_requests_total{path="/recommend",status="405"} 2' \
	'aexp_request_seconds_bucket{path="/recommend",le="+Inf"} ' 'aexp_model_info{name="one",id="' 'aexp_connections 1' \
	'process_resident_memory_bytes '; do
	out "$figure"
done

# --- memory stays as it is ---
memory() { curl -s "$url/metrics" | sed -n 's/^process_resident_memory_bytes //p'; }
# ask TIMES: over kept connections, good and bad ones
ask() {
	local list=()
	for ((i = 0; i < $1; i++)); do list+=(-o /dev/null "$url/recommend?explain=1" -o /dev/null "$url/nowhere"); done
	curl -s --data-binary @0.json "${list[@]}"
}
ask 500
before=$(memory)
ask 1000
ask 1000
after=$(memory)
[ "$growth" = 0 ] || [ "$((after - before))" -lt "$growth" ] || fail "memory grew from $before to $after bytes"

# --- the end: what came in is answered, what stands idle is closed ---
exec 4<>"/dev/tcp/127.0.0.1/$port" # idle
exec 3<>"/dev/tcp/127.0.0.1/$port"
length=$(wc -c <0.json)
printf 'POST /recommend?top=5 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s' "$length" "$(head -c 20 0.json)" >&3
sleep 0.3
kill -TERM "$server"
sleep 0.3
tail -c +21 0.json >&3
timeout 5 cat <&3 >back
exec 3>&- 4>&-
back 200 'a request that came in before the end'
grep -qi '^Connection: close' back || fail "it does not say that it closes"
sed '1,/^\r$/d' back | cmp -s - 0.wanted || fail "the last answer is another one"
code=0
wait "$server" || code=$?
server=
[ "$code" = 0 ] || fail "it ends with $code: $(cat said)"
! curl -s -o /dev/null "$url/healthz" || fail "it still serves"
[ ! -s served ] || fail "standard output holds: $(head -n 1 served)"
serve
stopped INT

# --- what is refused at the start ---
refused() {
	local code=0
	"$aexp" recommend model.safetensors "${@:3}" >/dev/null 2>err </dev/null || code=$?
	[ "$code" = "$1" ] || fail "${*:3}: exit code $code, expected $1"
	grep -qF -- "$2" err || fail "${*:3}: lacks \"$2\": $(cat err)"
}
refused 2 'go with --serve' --http 8080
refused 2 'go with --http' --serve --host 127.0.0.1
refused 2 'not --user' --serve --user 1
refused 2 'not in CSV' --serve --csv
refused 2 'is no port' --serve --http 65536
refused 2 'is no port' --serve --http web
refused 2 'there is no host "a..b"' --serve --http 0 --host a..b
refused 2 'at most 1000 items' --serve --top 1001
serve
refused 1 'cannot be had' --serve --http "$port"
stopped TERM
exit $failed
