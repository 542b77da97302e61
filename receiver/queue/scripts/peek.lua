-- A record is its version, the checksum, the length of the meta part, that part
-- and the body; codec.go has it too.
local FIXED, FIRST = 37, 4096
local e, found = endpoint(ARGV[1]), {}

local function read(log, key, id, fields)
  for i, field in ipairs(fields) do fields[i] = id .. field end
  for i, value in ipairs(ask('HMGET', key, fields)) do
    if value then add(log, fields[i], value) end
  end
end

for i = 2, #ARGV do
  local id = ARGV[i]
  local record, value = e.records .. id, redis.call('HGET', e.states, id)
  local start = redis.call('GETRANGE', record, 0, FIRST - 1)
  if value and #start > 0 then
    local a, b, c, d = string.byte(start, FIXED - 3, FIXED)
    local whole, all = #start, redis.call('STRLEN', record)
    if d then whole = math.min(FIXED + ((a * 256 + b) * 256 + c) * 256 + d, all) end
    if whole > FIRST then start = redis.call('GETRANGE', record, 0, whole - 1) end
    local attempts, excerpts = logged(value)
    local log = list()
    read(log, e.log, id, attempts)
    read(log, e.excerpts, id, excerpts)
    local size = all - whole
    if string.byte(start) >= 128 then size = tonumber(redis.call('GETRANGE', record, whole, -1)) or 0 end
    found[#found + 1] = {id, size, string.sub(start, 1, whole), value, log}
  end
end
return found
