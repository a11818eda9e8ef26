-- For wrk: users of a file (USERS), one a request, in turn; ends with one row of figures.
local users, at = {}, 0
for line in io.lines(os.getenv("USERS")) do
	users[#users + 1] = wrk.format("POST", nil, {["Content-Type"] = "application/json"}, line)
end

function request()
	at = at % #users + 1
	return users[at]
end

function done(summary, latency, requests)
	local e = summary.errors
	print(string.format("row%11s %11.0f %9.2f %9.2f %9.2f %9d %7d", os.getenv("CONNECTIONS"),
		1e6 * summary.requests / summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
		latency.max / 1000, summary.requests, e.connect + e.read + e.write + e.status + e.timeout))
end
