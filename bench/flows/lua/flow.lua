-- wrk's threads, one connection each, going through /authorize, /token and /userinfo in turn.
-- args: the folder of this file, a Lua file that returns the plan (bench/flows/load.py writes it).
histogram, failed, why = {}, 0, ""
dofile(os.getenv("BENCH_LUA") .. "/timing.lua")

local plan, cookies, step, began, state, verifier, code, token, count
local get = "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n"
local post = "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: %s\r\n" ..
  "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s"

function init(args)
  plan = dofile(args[1])
  step, count, cookies = 1, 0, {}
  -- A browser belongs to one thread: nobody has two requests under way.
  for n = number + 1, #plan.cookies, plan.threads do cookies[#cookies + 1] = plan.cookies[n] end
end

local function authorize()
  count, began = count + 1, now_us()
  local pair = plan.pairs[count % #plan.pairs + 1]
  verifier, state = pair[1], string.format("%s-%d-%d", plan.mark, number, count)
  local path = string.format("%s&state=%s&nonce=n-%s&code_challenge=%s", plan.authorize, state, state, pair[2])
  return get:format(path, plan.host, "Cookie: " .. cookies[count % #cookies + 1])
end

function request()
  if step == 1 then return authorize() end
  if step == 2 then
    local form = plan.form .. "&code=" .. code .. "&code_verifier=" .. verifier
    return post:format(plan.token, plan.host, plan.basic, #form, form)
  end
  return get:format(plan.userinfo, plan.host, "Authorization: Bearer " .. token)
end

local function fail(status, body)
  failed, why = failed + 1, string.format("step %d: %d %s", step, status, body:sub(1, 200))
  step = 1
end

function response(status, headers, body)
  if step == 1 then
    local location = headers["Location"] or headers["location"] or ""
    code = location:match("[?&]code=([^&]+)")
    local sent = location:match("[?&]state=([^&]+)")
    if (status ~= 302 and status ~= 303) or not code or sent ~= state then return fail(status, location .. body) end
    step = 2
  elseif step == 2 then
    token = body:match('"access_token"%s*:%s*"([^"]+)"')
    if status ~= 200 or not token or not body:find('"id_token"', 1, true) then return fail(status, body) end
    step = 3
  else
    if status ~= 200 or not body:find('"sub"', 1, true) then return fail(status, body) end
    note(histogram, now_us() - began)
    step = 1
  end
end
