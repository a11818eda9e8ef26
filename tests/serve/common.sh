# What the scripts of this folder share; read by them first, with AEXP and SOURCE as arguments. Servers are started on a
# port that is free, and end with the script.
aexp=$(realpath "$1") source=$(realpath "$2")
work=$(mktemp -d)
server= driver= failed=0
trap 'kill -9 $server $driver 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

fail() {
	echo "failed: $*"
	failed=1
}

# Makes model.safetensors, and other.safetensors with other weights.
make_models() {
	"$aexp" run "$source/tests/recommend/heldout.cfg" -q -s name=one -o results >/dev/null
	"$aexp" run "$source/tests/recommend/heldout.cfg" -q -s name=two -s seed=3 -o results >/dev/null
	cp results/one/*/model.safetensors model.safetensors
	cp results/two/*/model.safetensors other.safetensors
}

# until_says FILE WORDS: waits for them, ten seconds at most.
until_says() {
	for ((i = 0; i < 500; i++)); do
		grep -qs -- "$2" "$1" && return
		sleep 0.02
	done
	fail "$1 does not say \"$2\": $(cat "$1")"
	return 1
}

# serve OPTION...: starts a server of model.safetensors; sets server, port and url. What it says is in said. A program
# without HTTP skips the script.
serve() {
	: >said
	"$aexp" recommend model.safetensors --serve --http 0 -t 2 "$@" >served 2>said </dev/null &
	server=$!
	until_says said 'serving \|built without HTTP' || exit 1
	! grep 'built without HTTP' said || exit 77
	port=$(sed -n 's|.*http://127.0.0.1:\([0-9]*\)/.*|\1|p' said)
	url=http://127.0.0.1:$port
}

# stopped SIGNAL: ends the server, which must end well.
stopped() {
	local code=0
	kill -s "$1" "$server"
	wait "$server" || code=$?
	server=
	[ "$code" = 0 ] || fail "a server ends with $code after SIG$1: $(cat said)"
}
