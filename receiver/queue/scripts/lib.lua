-- Common to all scripts; it stands before each of them, after the constants
-- LAYOUT, ATTEMPTS and NEWER of Go.

-- clock returns the time in ms: the one given, or else the server's.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function integer(n) return string.format('%d', n) end

-- A list of arguments knows its length, which Lua's tables have to search.
local function list() return {n = 0} end

local function push(l, a)
  local n = l.n + 1
  l[n], l.n = a, n
end

local function add(l, a, b)
  local n = l.n
  l[n + 1], l[n + 2], l.n = a, b, n + 2
end

-- Lua gives a function at most 8000 arguments, so that long lists take several
-- calls. The number is even: pairs stay together.
local CHUNK = 4000

-- many runs a command on as many arguments as there are; none is no call.
local function many(command, key, l)
  for i = 1, l.n, CHUNK do redis.call(command, key, unpack(l, i, math.min(i + CHUNK - 1, l.n))) end
end

-- across is many for a command that has only keys.
local function across(command, l)
  for i = 1, l.n, CHUNK do redis.call(command, unpack(l, i, math.min(i + CHUNK - 1, l.n))) end
end

-- ask returns the replies of a command that answers each of its arguments.
local function ask(command, key, arguments)
  local replies = {}
  for i = 1, #arguments, CHUNK do
    local some = redis.call(command, key, unpack(arguments, i, math.min(i + CHUNK - 1, #arguments)))
    for j = 1, #some do replies[i + j - 1] = some[j] end
  end
  return replies
end

-- memory returns the used part of the server's memory, 0 where it has no limit.
local function memory()
  local info = redis.call('INFO', 'memory')
  local limit = tonumber(string.match(info, '\nmaxmemory:(%d+)'))
  return limit > 0 and tonumber(string.match(info, '\nused_memory:(%d+)')) / limit or 0
end

-- endpoint makes the keys of an endpoint of their common beginning.
local function endpoint(prefix)
  return {
    records = prefix .. 'e:', marks = prefix .. 'r:', states = prefix .. 'states', log = prefix .. 'log',
    excerpts = prefix .. 'excerpts', forgotten = prefix .. 'forgotten',
    seen = prefix .. 'seen', pending = prefix .. 'pending', dead = prefix .. 'dead', history = prefix .. 'history',
  }
end

-- A record, as codec.go describes it, begins with HEADER bytes. Those after SIZE
-- are the length of the meta part. Without a body the first byte is GONE or more.
local HEADER, SIZE, GONE = 37, 33, 128

-- bodyAt returns where the body begins in a record with this start, counted from
-- 0. It is nil if there is no record, or none with a body.
local function bodyAt(start)
  if #start < HEADER or string.byte(start) >= GONE then return nil end
  local a, b, c, d = string.byte(start, SIZE + 1, HEADER)
  return HEADER + ((a * 256 + b) * 256 + c) * 256 + d
end

-- The state of an event, as keys.go describes it.
local HEAD = '^' .. LAYOUT .. ' (%d+) (%d+)\n'
local TARGET = '^(%a) (%d+) (%d+) (%d+) (%d+) ([^\n]*)()'

local function head(window, history) return LAYOUT .. ' ' .. window .. ' ' .. history .. '\n' end

local function line(target, s)
  return target .. ' ' .. s.letter .. ' ' .. s.fence .. ' ' .. s.attempts .. ' ' .. s.replay .. ' ' .. s.tries .. ' ' ..
    s.reason .. '\n'
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

-- release makes leased events due, where there are fences only those that are
-- leased with them.
local function release(e, queue, target, ids, fences, now)
  if #ids == 0 then return end
  local standing, states, due = ask('HMGET', e.states, ids), list(), list()
  for i, id in ipairs(ids) do
    local s = look(standing[i], target)
    if s and s.letter == 'l' and (not fences or s.fence == fences[i]) then
      s.letter, s.fence = 'p', s.fence + 1
      add(states, id, put(standing[i], target, s))
      add(due, integer(now), id)
    end
  end
  many('HSET', e.states, states)
  many('ZADD', queue, due)
end

-- unfinished counts the targets that are pending, and those that are dead. Of the
-- others the event is delivered to some, and given up for some.
local function unfinished(value)
  local open, buried = 0, 0
  for letter in string.gmatch(value, '\n%S+ (%a) ') do
    if letter == 'x' then buried = buried + 1 elseif letter ~= 'd' and letter ~= 'g' then open = open + 1 end
  end
  return open, buried
end

-- logged returns what follows the event's id in the names of its attempts and of
-- its excerpts. Earlier versions had a field for each attempt, of which this one
-- uses the first.
local function logged(value)
  local attempts, excerpts = {}, {}
  for target, tries in string.gmatch(value, '\n(%S+) %a %d+ %d+ %d+ (%d+)') do
    for n = 0, math.min(tonumber(tries), ATTEMPTS) - 1 do attempts[#attempts + 1] = ' ' .. target .. ' ' .. n end
    if tonumber(tries) > 0 then excerpts[#excerpts + 1] = ' ' .. target end
  end
  return attempts, excerpts
end

-- retire drops what events hold; their marks stay until their windows are over.
-- Events that came together have the same state, which is read once.
local function retire(e, ids, now)
  if #ids == 0 then return end
  local standing, read = ask('HMGET', e.states, ids), {}
  local marks, records, states, log, excerpts = list(), list(), list(), list(), list()
  for i, id in ipairs(ids) do
    local value = standing[i] or ''
    local known = read[value]
    if not known then
      known = {window = string.match(value, HEAD)}
      known.log, known.excerpts = logged(value)
      known.marked = known.window and tonumber(known.window) > now
      read[value] = known
    end
    if known.marked then add(marks, known.window, id) end
    push(records, e.records .. id)
    push(states, id)
    for _, field in ipairs(known.log) do push(log, id .. field) end
    for _, field in ipairs(known.excerpts) do push(excerpts, id .. field) end
  end
  many('ZADD', e.seen, marks)
  across('DEL', records)
  many('HDEL', e.states, states)
  many('HDEL', e.log, log)
  many('HDEL', e.excerpts, excerpts)
end

-- trim retires the oldest events of a history until it is within its limit, at
-- most so many at a time to keep the server responsive.
local function trim(e, limit, most, now)
  local extra = math.min(redis.call('ZCARD', e.history) - limit, most)
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
