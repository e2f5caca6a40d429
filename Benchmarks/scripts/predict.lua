-- Load for wrk: POSTs of one input of 100 doubles, no two alike, not even in different runs of one day. With the
-- argument `repeated`, the same 1,000 inputs again and again, in every run.
--
-- 1,000 requests are made beforehand; only the input's last element, a counter, is put in as they are sent, so that
-- wrk's own work per request stays small. `done` prints what the run script reads.

local elements, poolSize = 100, 1000
-- As long as the counter, which always has 16 digits: the length in the header holds for every value of it.
local placeholder = string.rep("#", 16)

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local pool = {}
local counter
local isRepeated = false

function init(arguments)
  math.randomseed(1)
  isRepeated = arguments[1] == "repeated"
  local headers = { ["Content-Type"] = "application/json" }
  for index = 1, poolSize do
    local values = {}
    for element = 1, elements - 1 do values[element] = string.format("%.17g", math.random()) end
    values[elements] = placeholder .. ".5"
    local body = '{"input":[' .. table.concat(values, ",") .. "]}"
    local request = wrk.format("POST", nil, headers, body)
    local at = request:find(placeholder, 1, true)
    local head, tail = request:sub(1, at - 1), request:sub(at + #placeholder)
    pool[index] = isRepeated and head .. string.format("%.0f", 1e15 + index) .. tail or { head, tail }
  end
  -- A double holds it exactly: 10^15, the second of the day, the thread, and a billion requests' worth of counting.
  counter = 1e15 + (os.time() % 86400) * 1e10 + number * 1e9
end

function request()
  counter = counter + 1
  if isRepeated then return pool[counter % poolSize + 1] end
  local parts = pool[counter % poolSize + 1]
  return parts[1] .. string.format("%.0f", counter) .. parts[2]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "result requests=%d micros=%d status=%d socket=%d p50=%d p99=%d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
