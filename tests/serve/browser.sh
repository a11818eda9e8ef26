#!/bin/bash
# The page in a real browser (Chromium, by its driver's HTTP interface): what stands there before anything is rated, a
# rating by keyboard alone, one by mouse, an attribute; each list must be the command line's. AEXP_SHOT=FILE.png keeps a
# picture. Usage: browser.sh AEXP SOURCE
set -eu
. "$(dirname "$0")/common.sh"
for needed in curl chromium chromedriver; do
	command -v $needed >/dev/null || { echo "no $needed here: the page is not tried"; exit 77; }
done
make_models
serve
chromedriver --port=0 >driver.log 2>&1 &
driver=$!
until_says driver.log 'started successfully on port'
driven=http://127.0.0.1:$(sed -n 's/.*started successfully on port \([0-9]*\).*/\1/p' driver.log)

# tell METHOD PATH [BODY]: one command; what came back is in back.
tell() {
	curl -s -m 60 -X "$1" -H 'Content-Type: application/json' ${3+-d "$3"} "$driven/session$2" >back
	! grep -q '"error":' back || { fail "$2: $(head -c 400 back)"; exit 1; }
}
tell POST '' '{"capabilities": {"alwaysMatch": {"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions":
	{"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1100,900"]}}}}'
session=/$(sed 's/.*"sessionId":"\([^"]*\)".*/\1/' back)
leave() { # the browser is the driver's child, which does not take it along
	curl -s -m 10 -o "$work/left" -X DELETE "$driven/session$session" || true
	kill -9 $server $driver 2>/dev/null || true
	wait
	rm -rf "$work"
}
trap leave EXIT

# said SCRIPT: what it returns, a text
said() {
	tell POST "$session/execute/sync" "{\"script\": \"$1\", \"args\": []}"
	sed 's/^{"value":"\{0,1\}//; s/"\{0,1\}}$//' back
}
# awaits SCRIPT TEXT: waits for it
awaits() {
	for ((i = 0; i < 200; i++)); do
		[ "$(said "$1")" != "$2" ] || return 0
		sleep 0.05
	done
	fail "the page never says \"$2\": $(said "$1")"
}
# keys TEXT...: presses each; \uE004 is Tab, \uE012 the left arrow
keys() {
	local actions=
	for key; do actions="$actions${actions:+,}{\"type\":\"keyDown\",\"value\":\"$key\"},{\"type\":\"keyUp\",\"value\":\"$key\"}"; done
	tell POST "$session/actions" "{\"actions\": [{\"type\": \"key\", \"id\": \"k\", \"actions\": [$actions]}]}"
}
# click SELECTOR: by mouse, where it stands
click() {
	tell POST "$session/element" "{\"using\": \"css selector\", \"value\": \"$1\"}"
	tell POST "$session/element/$(sed 's/.*":"\([^"]*\)".*/\1/' back)/click" '{}'
}
list="return [...document.querySelectorAll('#list li')].map(l => l.firstChild.textContent).join('; ')"
from="return document.getElementById('from').textContent"
# holds QUESTION: the list is the command line's
holds() {
	wanted=$(printf '%s' "$1" | "$aexp" recommend model.safetensors --json | grep -o '"title": "[^"]*"' | head -n 10 | cut -d'"' -f4 | paste -sd ';' | sed 's/;/; /g')
	awaits "$list" "$wanted"
}

tell POST "$session/url" "{\"url\": \"$url/\"}"
awaits "$from" 'Nothing is known of you yet: this is simply what is rated most, the same for everyone.'
holds '{}'
[ "$(said "return document.querySelectorAll('#items li').length")" = 20 ] || fail "not twenty items to rate"

keys '\uE004' P 0 0 0 3
awaits "return [...document.querySelectorAll('#items legend')].map(l => l.textContent).join(' ')" 'Velvet Cleanser 003'
keys '\uE004' '\uE012'
[ "$(said 'return document.activeElement.getAttribute(`aria-label`)')" = 'rate 5' ] || fail "the arrow does not reach the last choice: $(cat back)"
awaits "$from" 'Made from what you have rated.'
holds '{"ratings": {"P0003": 5}}'
[ "$(said "return document.querySelector('#list .why').textContent")" = 'because of: Velvet Cleanser 003' ] || fail "no reason: $(cat back)"

said "const s = document.getElementById('search'); s.value = 'P0007'; s.dispatchEvent(new Event('input')); return ''" >/dev/null
awaits "return [...document.querySelectorAll('#items legend')].map(l => l.textContent).join(' ')" 'Gentle Mask 007'
[ "$(said "return document.querySelector('#rated legend').textContent")" = 'Velvet Cleanser 003' ] || fail "what is rated is gone: $(cat back)"
click '#items li input[aria-label=\"rate 2\"]'
holds '{"ratings": {"P0003": 5, "P0007": 2}}'
click '#rated li input[aria-label=\"no rating\"]'
holds '{"ratings": {"P0007": 2}}'

click '#about summary'
click '#about select option[value=\"Dry\"]'
awaits "$from" 'Made from what you have rated and what you said of yourself.'
holds '{"ratings": {"P0007": 2}, "user": {"skin_type": "Dry"}}'
click '#items li input[aria-label=\"no rating\"]'
awaits "$from" 'You have rated nothing yet: made from what you said of yourself alone.'
click '#items li input[aria-label=\"rate 5\"]'
holds '{"ratings": {"P0007": 5}, "user": {"skin_type": "Dry"}}'

unnamed="return [...document.querySelectorAll('input, select')].filter(e => !e.labels.length && !e.getAttribute('aria-label')).length"
[ "$(said "$unnamed")" = 0 ] || fail "a field has no name"
foreign="return performance.getEntriesByType('resource').filter(r => !r.name.startsWith(location.origin)).map(r => r.name).join(' ')"
[ -z "$(said "$foreign")" ] || fail "the page loads from elsewhere: $(cat back)"
tell POST "$session/se/log" '{"type": "browser"}'
! grep -q '"level":"\(SEVERE\|WARNING\)"' back || fail "the browser complains: $(cat back)"
if [ -n "${AEXP_SHOT-}" ]; then
	tell GET "$session/screenshot"
	sed 's/^{"value":"//; s/"}$//' back | base64 -d >"$AEXP_SHOT"
fi
kill "$server" # the page tells a visitor that nobody answers
wait "$server" || fail "the server ends with $?"
click '#items li input[aria-label=\"rate 1\"]'
awaits "return String(!document.getElementById('error').hidden)" true
exit $failed
