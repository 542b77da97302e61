-- Common to all scripts; it stands before each of them.

-- clock returns the time in ms: the one given, or else the server's.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function integer(n) return string.format('%.0f', n) end

-- State of an event at one target, as keys.go describes it.
local STATE = '^(%a) (%d+) (%d+) (%d) (%d+)$'
local function state(letter, fence, attempts, replay, tries)
  return letter .. ' ' .. integer(fence) .. ' ' .. integer(attempts) .. ' ' .. replay .. ' ' .. integer(tries)
end

-- retire drops what an event holds; the mark stays until its window is over.
local function retire(record, now)
  local mark = redis.call('HMGET', record, 'x', 'n')
  redis.call('DEL', record)
  local window = (tonumber(mark[1]) or 0) - now
  if window <= 0 then return end
  redis.call('HSET', record, 'x', mark[1])
  if mark[2] then redis.call('HSET', record, 'n', mark[2]) end
  redis.call('PEXPIRE', record, integer(window))
end

-- trim retires the oldest events of a history until it is within its limit,
-- at most 100 at a time to keep the server responsive.
local function trim(history, records, limit, now)
  local extra = math.min(redis.call('ZCARD', history) - limit, 100)
  if extra <= 0 then return 0 end
  local popped = redis.call('ZPOPMIN', history, extra)
  for i = 1, #popped, 2 do retire(records .. popped[i], now) end
  return extra
end
