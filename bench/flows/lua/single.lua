-- One request over and over: a path, of which nobody reads the answer but its status, or a whole
-- request whose answer must be 200 and hold a text.
histogram, failed, why = {}, 0, ""
dofile(os.getenv("BENCH_LUA") .. "/timing.lua")

local plan, began

function init(args)
  plan = dofile(args[1])
  if plan.path then -- wrk writes it once and parses no answers: these are the fastest
    wrk.path, request, response = plan.path, nil, nil
  end
end

function request()
  began = now_us()
  return plan.request
end

function response(status, _, body)
  if status ~= 200 or not body:find(plan.holds, 1, true) then
    failed, why = failed + 1, string.format("%d %s", status, body:sub(1, 200))
  else
    note(histogram, now_us() - began)
  end
end
