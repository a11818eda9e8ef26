#!/bin/sh
# How fast a running service answers (docs/serving.md): wrk on loopback, each request a user with 50 ratings who wants the
# best 10 of 20,000 items from a network of one hidden layer of 128. A row for each number of connections;
# "CPU ms" is what the service itself spent on a request, which tells most where the machine is shared.
# Usage: serve.sh AEXP [SECONDS [CONNECTIONS...]]   (default: 30 seconds each of 1, 16 and 64)
set -eu
aexp=$(realpath "$1") here=$(realpath "$(dirname "$0")")
seconds=${2:-30}
[ $# -lt 2 ] && shift || shift 2
[ $# -gt 0 ] || set -- 1 16 64
command -v wrk >/dev/null || { echo "no wrk here (Debian: apt-get install wrk)"; exit 77; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; wait; rm -rf "$work"' EXIT
cd "$work"
cat >load.cfg <<'END'
data: {
  source:  { format = "synthetic"; users = 3000; items = 20000; ratings = 150000; };
  split:   { kind = "ratio"; valid = 0.0; test = 0.0; };
};
graph: (
  { name = "taste"; op = "dense"; input = "ratings"; units = 128; activation = "sigmoid"; },
  { name = "score"; op = "dense"; units = "items"; }
);
train: { epochs = 1; };
metrics = [ "rmse" ];
END
"$aexp" run load.cfg -q >/dev/null
"$aexp" recommend load --serve --http 0 2>said </dev/null &
server=$!
until grep -q serving said; do sleep 0.1; done
url=$(sed -n 's|.*\(http://[^ ]*\)/ .*|\1|p' said)

# A thousand users with the items of the model, each in a line.
curl -s "$url/items?top=1000" | grep -o '"item": "[^"]*"' | cut -d'"' -f4 | awk '
	{ item[NR - 1] = $1 }
	END {
		for (u = 0; u < 1000; u++) {
			printf "{\"ratings\": {"
			for (k = 0; k < 50; k++)
				printf "%s\"%s\": %d", k ? ", " : "", item[(u * 7 + k * 19) % NR], 1 + (u + k) % 5
			print "}}"
		}
	}' >users.jsonl
memory() { curl -s "$url/metrics" | awk '/^process_resident_memory_bytes/ { printf "%.1f", $2 / 1048576 }'; }
spent() { awk '{ print $14 + $15 }' "/proc/$server/stat"; } # in ticks
tick=$(getconf CLK_TCK)
echo "connections  requests/s    p50 ms    p99 ms    max ms  requests  errors  CPU ms  MiB before  after"
for connections; do
	before=$(memory) began=$(spent)
	USERS=users.jsonl CONNECTIONS=$connections wrk -t 1 -c "$connections" -d "${seconds}s" --timeout 10s -s "$here/serve.lua" "$url/recommend" >log
	grep -q '^row' log || { cat log; exit 1; }
	requests=$(awk '/^row/ { print $7 }' log)
	cpu=$(awk -v t="$(($(spent) - began))" -v n="$requests" -v tick="$tick" 'BEGIN { printf "%.3f", 1000 * t / tick / n }')
	echo "$(sed -n 's/^row//p' log)   $cpu       $before  $(memory)"
done
