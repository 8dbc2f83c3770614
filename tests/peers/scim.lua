-- What wrk sends to every server, in one thread:
--
--   wrk -t1 ... -s scim.lua BASE -- TOKEN KIND ARGUMENT...
--
--   create FIRST                    POST of users, numbered from FIRST
--   load FIRST LAST FILE            the same until LAST, appending id and name of each to FILE; then prints LOADED
--   get FILE, filter FILE           GET of a user of FILE, chosen at random; by `userName eq`
--   list COUNT                      GET of a page of 100 users out of COUNT, chosen at random
--   group GROUP                     GET of a group with all its members
--   patch FILE GROUP FIRST COUNT    PATCH of a group: COUNT users of FILE, from the FIRST on, become members one by one,
--                                   then cease to be, then become members again, so that every request changes something
--
-- Prints a line of JSON at the end.

local requests = {}

local function lines_of(file)
  local ids, names = {}, {}
  for line in io.lines(file) do
    local id, name = line:match("(%S+) (%S+)")
    ids[#ids + 1], names[#names + 1] = id, name
  end
  return ids, names
end

local function user(n)
  return string.format(
    '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],'
      .. '"userName":"u%d@example.com","externalId":"ext-%d","displayName":"User %d","active":true,'
      .. '"name":{"givenName":"Given%d","familyName":"Family%d"},'
      .. '"emails":[{"value":"u%d@example.com","type":"work","primary":true}],'
      .. '"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Dept %d","employeeNumber":"%d"}}',
    n, n, n, n, n, n, n % 50, n)
end

function requests.create(base, first)
  local n = tonumber(first) - 1
  return function()
    n = n + 1
    return wrk.format("POST", base .. "/Users", nil, user(n))
  end
end

function requests.load(base, first, last, file)
  local users = io.open(file, "a")
  local missing = tonumber(last) - tonumber(first) + 1
  -- Only here, since it costs the load generator more than sending does.
  response = function(status, _, body)
    local id, name = body:match('"id"%s*:%s*"([%w-]+)"'), body:match('"userName"%s*:%s*"([^"%s]+)"')
    if status ~= 201 or not id or not name or missing == 0 then return end
    users:write(id, " ", name, "\n")
    missing = missing - 1
    if missing == 0 then
      users:close()
      print("LOADED")
      io.flush()
      wrk.thread:stop()
    end
  end
  return requests.create(base, first)
end

function requests.get(base, file)
  local ids = lines_of(file)
  return function()
    return wrk.format("GET", base .. "/Users/" .. ids[math.random(#ids)])
  end
end

function requests.filter(base, file)
  local _, names = lines_of(file)
  return function()
    local name = names[math.random(#names)]:gsub("@", "%%40")
    return wrk.format("GET", base .. "/Users?filter=userName%20eq%20%22" .. name .. "%22")
  end
end

function requests.list(base, count)
  local pages = math.max(1, math.floor(tonumber(count) / 100))
  return function()
    local start = (math.random(pages) - 1) * 100 + 1
    return wrk.format("GET", base .. "/Users?count=100&startIndex=" .. start)
  end
end

function requests.group(base, group)
  return function()
    return wrk.format("GET", base .. "/Groups/" .. group)
  end
end

function requests.patch(base, file, group, first, count)
  local ids = lines_of(file)
  local n, adding = 0, true
  return function()
    local id = ids[tonumber(first) + n]
    local operation = adding and '{"op":"add","path":"members","value":[{"value":"' .. id .. '"}]}'
      or '{"op":"remove","path":"members[value eq \\"' .. id .. '\\"]"}'
    n = n + 1
    if n == tonumber(count) then n, adding = 0, not adding end
    return wrk.format("PATCH", base .. "/Groups/" .. group, nil,
      '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[' .. operation .. "]}")
  end
end

function init(arguments)
  math.randomseed(1)
  wrk.headers["Authorization"] = "Bearer " .. arguments[1]
  wrk.headers["Content-Type"] = "application/scim+json"
  request = requests[arguments[2]](wrk.path, unpack(arguments, 3))
end

function done(summary, latency)
  local errors = summary.errors
  print(string.format('RESULT {"requests":%d,"seconds":%f,"p50":%f,"errors":%d}',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
