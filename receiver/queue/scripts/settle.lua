-- STEP is the number of arguments of a lease; SHORT the part of the watermark from
-- which memory is short.
local STEP, SHORT = 7, 0.9
local now, watermark = clock(ARGV[1]), tonumber(ARGV[2])
-- used is the used part of the memory, once it was asked for.
local used

-- turn is what becomes of an event at a target by an outcome. Events that came
-- together have the same state, so that this is worked out once for all.
local function turn(group, value, s, outcome, reason, tried)
  local t = {
    letter = s.letter, fence = s.fence, attempts = s.attempts + tried, replay = s.replay, tries = s.tries + tried,
    reason = reason ~= '' and reason or s.reason, from = s.from, after = s.after,
  }
  if outcome == 'retry' or outcome == 'release' then
    t.letter, t.fence = 'p', s.fence + 1
  else
    t.letter = outcome == 'dead' and 'x' or 'd'
  end
  t.value = put(value, group.target, t)
  if t.letter ~= 'p' then
    local open, buried = unfinished(t.value)
    local _, limit = string.match(value, HEAD)
    t.closed, t.delivered, t.limit = open == 0, open == 0 and buried == 0, tonumber(limit)
  end
  return t
end

local function gather(group, id, t, after)
  if t.letter == 'p' then return add(group.due, integer(now + after), id) end
  push(group.left, id)
  if t.letter == 'x' then add(group.died, group.now, id) end
  if t.closed then push(group.closed, id) end
  if not t.delivered then return end
  group.limit = t.limit
  if t.limit == 0 then push(group.finished, id) else add(group.delivered, group.now, id) end
end

-- settle ends the lease whose arguments begin there and returns 1, or 0 when it
-- is lost.
local function settle(group, at)
  local id, outcome, reason, attempt = ARGV[at], ARGV[at + 2], ARGV[at + 4], ARGV[at + 5]
  local value = group.values[id]
  if not value then return 0 end
  if ARGV[at + 1] == '0' and outcome == 'dead' and not string.find(value, HEAD) then
    -- A newer version knows the state, which stays as it is.
    add(group.died, group.now, id)
    push(group.left, id)
    push(group.closed, id)
    return 1
  end
  local s = group.looks[value]
  if s == nil then
    s = look(value, group.target) or false
    group.looks[value] = s
    if s then s.turns = {} end
  end
  if not s or s.letter ~= 'l' or s.fence ~= tonumber(ARGV[at + 1]) then return 0 end
  local tried = attempt ~= '' and 1 or 0
  local name = outcome .. tried .. reason
  local t = s.turns[name]
  if not t then
    t = turn(group, value, s, outcome, reason, tried)
    s.turns[name] = t
  end
  if tried == 1 then
    group.again = group.again or s.tries > 0
    push(group.noted, {name = id .. ' ' .. group.target, line = attempt, excerpt = ARGV[at + 6], first = s.tries == 0})
  end
  group.values[id] = t.value
  add(group.states, id, t.value)
  gather(group, id, t, tonumber(ARGV[at + 3]))
  return 1
end

-- append adds a line to the log of earlier attempts and keeps the latest. What an
-- earlier version wrote begins with a brace and goes.
local function append(log, line)
  if not log or string.byte(log) == 123 then return line end
  local _, lines = string.gsub(log, '\n', '')
  for _ = ATTEMPTS, lines do log = string.sub(log, string.find(log, '\n', 1, true) + 1) end
  return log .. line
end

-- note keeps attempts. The memory that is left is for events: as it becomes short,
-- excerpts are cut, then left out with all attempts but the latest, and at the
-- limit nothing is noted.
local function note(group)
  if group.noted.n == 0 then return end
  used = used or memory()
  local e = group.e
  local names, log, excerpts, gone = {}, list(), list(), list()
  for i, attempt in ipairs(group.noted) do names[i] = attempt.name .. ' 0' end
  local earlier = used < watermark and group.again and ask('HMGET', e.log, names) or {}
  for i, attempt in ipairs(group.noted) do
    local excerpt = attempt.excerpt
    if used >= watermark then excerpt = '' elseif used >= SHORT * watermark then excerpt = string.sub(excerpt, 1, 256) end
    if used < 1 then add(log, names[i], append(earlier[i], attempt.line)) end
    if excerpt ~= '' then add(excerpts, attempt.name, excerpt) elseif not attempt.first then push(gone, attempt.name) end
  end
  many('HSET', e.log, log)
  many('HSET', e.excerpts, excerpts)
  many('HDEL', e.excerpts, gone)
  if used >= 1 and group.again then
    names.n = group.noted.n
    many('HDEL', e.log, names)
  end
end

local function write(group)
  local e = group.e
  note(group)
  many('HSET', e.states, group.states)
  many('ZADD', group.queue, group.due)
  many('ZADD', group.targetDead, group.died)
  many('ZADD', e.dead, group.died)
  many('ZADD', e.history, group.delivered)
  many('ZREM', group.queue, group.left)
  many('ZREM', e.pending, group.closed)
  retire(e, group.finished, now)
  -- Twice what was added, so that a history that is too long becomes shorter.
  if group.limit then trim(e, group.limit, math.max(128, group.delivered.n), now) end
end

local function settleAll(group)
  local ids, replies = {}, {}
  for i = 1, group.count do ids[i] = ARGV[group.leases + (i - 1) * STEP] end
  for i, value in ipairs(ask('HMGET', group.e.states, ids)) do group.values[ids[i]] = value end
  for i = 1, group.count do replies[i] = settle(group, group.leases + (i - 1) * STEP) end
  if group.states.n > 0 or group.left.n > 0 then write(group) end
  return replies
end

-- read finds a group in the arguments: where its leases begin.
local function read(arg, key)
  return {
    e = endpoint(ARGV[arg]), target = ARGV[arg + 1], count = tonumber(ARGV[arg + 2]), leases = arg + 3,
    queue = KEYS[key], targetDead = KEYS[key + 1], now = integer(now),
    -- Where the events stand, and what is known of states.
    values = {}, looks = {},
    -- What there is to write, for all leases together.
    states = list(), noted = list(), due = list(), left = list(), died = list(), closed = list(), delivered = list(),
    finished = list(),
  }
end

-- An endpoint whose keys are broken must not fail its neighbours.
local answers, arg, key = {}, 4, 1
for n = 1, tonumber(ARGV[3]) do
  local group = read(arg, key)
  arg, key = group.leases + group.count * STEP, key + 2
  local ok, replies = pcall(settleAll, group)
  answers[n] = ok and replies or redis.error_reply(type(replies) == 'table' and replies.err or tostring(replies))
end
return answers
