-- A clock, and a histogram of microseconds in buckets of 2 %, which wrk can carry between threads.
local ffi = require("ffi")
ffi.cdef [[
  struct bench_time { long seconds; long nanoseconds; };
  int clock_gettime(int clock, struct bench_time *out);
]]
local held = ffi.new("struct bench_time")
local STEP = math.log(1.02)

function now_us()
  ffi.C.clock_gettime(1, held)
  return tonumber(held.seconds) * 1e6 + tonumber(held.nanoseconds) / 1e3
end

function note(histogram, us)
  local bucket = math.floor(math.log(math.max(us, 1)) / STEP)
  histogram[bucket] = (histogram[bucket] or 0) + 1
end

function percentile(histogram, share)
  local buckets, total = {}, 0
  for bucket, count in pairs(histogram) do
    buckets[#buckets + 1] = bucket
    total = total + count
  end
  table.sort(buckets)
  local left = total * share
  for _, bucket in ipairs(buckets) do
    left = left - histogram[bucket]
    if left <= 0 then return math.exp((bucket + 0.5) * STEP) / 1e3 end
  end
  return 0
end

-- Threads live in states of their own: what each of them counted is fetched here.
local threads = {}
function setup(thread)
  thread:set("number", #threads)
  threads[#threads + 1] = thread
end

function done(summary, latency)
  local all, failed, why = {}, 0, ""
  for _, thread in ipairs(threads) do
    for bucket, count in pairs(thread:get("histogram") or {}) do
      all[bucket] = (all[bucket] or 0) + count
    end
    failed = failed + (thread:get("failed") or 0)
    if thread:get("why") ~= nil and thread:get("why") ~= "" then why = thread:get("why") end
  end
  why = why:gsub("[^%w%p ]", " "):gsub('["\\]', "'")
  local function at(share)
    return next(all) and percentile(all, share) or latency:percentile(100 * share) / 1e3
  end
  local e = summary.errors
  io.write(string.format(
    'BENCH {"requests": %d, "us": %d, "failed": %d, "p50": %.4f, "p95": %.4f, "p99": %.4f, "why": "%s"}\n',
    summary.requests, summary.duration,
    failed + e.connect + e.read + e.write + e.status + e.timeout,
    at(0.50), at(0.95), at(0.99), why))
end
