-- Load for wrk around feedback, to an application of one or more `sum` models. The arguments say what is sent:
--
--   ask FILE       predict, with inputs of which no two are alike; the answers' query ids go to the file
--   tell FILE      update by those query ids, with a label; when all are told, from the beginning again
--   identify FILE  the same, each with a feedback id of its own
--   input USERS    update by uid and input, no two inputs alike, with so many users
--
-- `done` prints what the experiments read.

local bodies, threads = nil, 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

local counter = 0
local ids, file = {}, nil

local function post(path, body)
  return wrk.format("POST", path, { ["Content-Type"] = "application/json" }, body)
end

local makers = {
  ask = function()
    return string.format('{"input":[%.0f,0.25,0.5]}', counter)
  end,
  tell = function()
    return string.format('{"query_id":%s,"label":%d}', ids[counter % #ids + 1], counter % 2)
  end,
  identify = function()
    local id = ids[counter % #ids + 1]
    return string.format('{"query_id":%s,"label":%d,"feedback_id":%.0f}', id, counter % 2, counter)
  end,
  input = function()
    return string.format('{"uid":%d,"input":[%.0f,0.25,0.5],"label":%d}', counter % users, counter, counter % 2)
  end,
}

function init(arguments)
  local what, value = arguments[1], arguments[2]
  bodies = makers[what]
  -- Different in every run of a day: 10^15, the second of the day, the thread, and a billion requests' worth of counting.
  counter = 1e15 + (os.time() % 86400) * 1e10 + number * 1e9
  if what == "ask" then
    file = assert(io.open(value, "w"))
    response = note
  elseif what == "input" then
    users = tonumber(value)
  else
    for line in io.lines(value) do ids[#ids + 1] = line end
    if what == "tell" then counter = 0 end
  end
end

function request()
  counter = counter + 1
  return post(nil, bodies())
end

function note(status, headers, body)
  local id = body:match('"query_id":%s*(%d+)')
  if status == 200 and id then
    file:write(id, "\n")
    file:flush()
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    "result requests=%d micros=%d status=%d socket=%d p50=%d p99=%d\n",
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
