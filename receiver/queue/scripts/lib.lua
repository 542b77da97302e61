-- Common to all scripts; it stands before each of them, after the constants
-- LAYOUT and ATTEMPTS of Go.

-- clock returns the time in ms: the one given, or else the server's.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function integer(n) return string.format('%d', n) end

-- many runs a command on as many arguments as there are; none is no call.
local function many(command, key, arguments)
  if #arguments > 0 then redis.call(command, key, unpack(arguments)) end
end

local function add(list, a, b)
  list[#list + 1] = a
  list[#list + 1] = b
end

-- endpoint makes the keys of an endpoint of their common beginning.
local function endpoint(prefix)
  return {
    records = prefix .. 'e:', marks = prefix .. 'r:', states = prefix .. 'states', log = prefix .. 'log',
    seen = prefix .. 'seen', pending = prefix .. 'pending', dead = prefix .. 'dead', history = prefix .. 'history',
  }
end

-- The state of an event, as keys.go describes it.
local HEAD = '^' .. LAYOUT .. ' (%d+) (%d+)\n'
local TARGET = '^(%a) (%d+) (%d+) (%d) (%d+) ([^\n]*)()'

local function head(window, history) return LAYOUT .. ' ' .. window .. ' ' .. history .. '\n' end

local function line(target, s)
  return target .. ' ' .. s.letter .. ' ' .. integer(s.fence) .. ' ' .. integer(s.attempts) .. ' ' .. s.replay .. ' ' ..
    integer(s.tries) .. ' ' .. s.reason .. '\n'
end

-- look reads where an event stands at a target; nil when it is not for it, or
-- when a newer version wrote the state.
local function look(value, target)
  if not value or not string.find(value, HEAD) then return nil end
  local from, before = string.find(value, '\n' .. target .. ' ', 1, true)
  if not from then return nil end
  local letter, fence, attempts, replay, tries, reason, after = string.match(value, TARGET, before + 1)
  if not letter then return nil end
  return {
    letter = letter, fence = tonumber(fence), attempts = tonumber(attempts), replay = replay, tries = tonumber(tries),
    reason = reason, from = from, after = after,
  }
end

-- put returns the value with another state of the target that was looked at.
local function put(value, target, s)
  return string.sub(value, 1, s.from) .. line(target, s) .. string.sub(value, s.after + 1)
end

-- unfinished counts the targets that are pending, and those that are dead.
local function unfinished(value)
  local open, buried = 0, 0
  for letter in string.gmatch(value, '\n%S+ (%a) ') do
    if letter == 'x' then buried = buried + 1 elseif letter ~= 'd' then open = open + 1 end
  end
  return open, buried
end

-- logged calls visit with the log's field of each attempt that is kept of an event.
local function logged(id, value, visit)
  for target, tries in string.gmatch(value or '', '\n(%S+) %a %d+ %d+ %d (%d+)') do
    for n = 0, math.min(tonumber(tries), ATTEMPTS) - 1 do visit(id .. ' ' .. target .. ' ' .. n) end
  end
end

-- retire drops what events hold; their marks stay until their windows are over.
local function retire(e, ids, now)
  if #ids == 0 then return end
  local values = redis.call('HMGET', e.states, unpack(ids))
  local marks, records, log = {}, {}, {}
  for i, id in ipairs(ids) do
    local window = string.match(values[i] or '', HEAD)
    if window and tonumber(window) > now then add(marks, window, id) end
    records[i] = e.records .. id
    logged(id, values[i], function(field) log[#log + 1] = field end)
  end
  many('ZADD', e.seen, marks)
  redis.call('DEL', unpack(records))
  redis.call('HDEL', e.states, unpack(ids))
  many('HDEL', e.log, log)
end

-- trim retires the oldest events of a history until it is within its limit,
-- at most 128 at a time to keep the server responsive.
local function trim(e, limit, now)
  local extra = math.min(redis.call('ZCARD', e.history) - limit, 128)
  if extra <= 0 then return 0 end
  retire(e, redis.call('ZRANGE', e.history, 0, extra - 1), now)
  redis.call('ZREMRANGEBYRANK', e.history, 0, extra - 1)
  return extra
end

-- forget drops marks whose window is over, at most so many.
local function forget(e, most, now)
  local over = math.min(redis.call('ZCOUNT', e.seen, '-inf', integer(now)), most)
  if over > 0 then redis.call('ZREMRANGEBYRANK', e.seen, 0, over - 1) end
  return over
end
