local now, arg, key = clock(ARGV[1]), 2, 1

local function take()
  arg = arg + 1
  return ARGV[arg - 1]
end

local function read()
  local group = {
    e = endpoint(take()), target = take(), queue = KEYS[key], targetDead = KEYS[key + 1], items = {}, ids = {},
    -- What there is to write, for all items together.
    values = {}, log = {}, due = {}, left = {}, died = {}, closed = {}, delivered = {}, finished = {},
  }
  key = key + 2
  for i = 1, tonumber(take()) do
    local item = {
      id = take(), fence = tonumber(take()), outcome = take(), after = tonumber(take()), reason = take(), attempt = take(),
    }
    group.items[i], group.ids[i] = item, item.id
  end
  return group
end

-- close decides what becomes of an event that has ended at a target.
local function close(group, item, value)
  group.left[#group.left + 1] = item.id
  if item.outcome == 'dead' then add(group.died, integer(now), item.id) end
  local open, buried = unfinished(value)
  if open > 0 then return end
  group.closed[#group.closed + 1] = item.id
  if buried > 0 then return end
  local _, limit = string.match(value, HEAD)
  group.limit = tonumber(limit)
  if group.limit == 0 then
    group.finished[#group.finished + 1] = item.id
  else
    add(group.delivered, integer(now), item.id)
  end
end

-- settle ends one lease and returns 1, or 0 when it is lost.
local function settle(group, item)
  local value, target = group.values[item.id], group.target
  local s = look(value, target)
  if not s or s.letter ~= 'l' or s.fence ~= item.fence then return 0 end
  if item.reason ~= '' then s.reason = item.reason end
  if item.attempt ~= '' then
    add(group.log, item.id .. ' ' .. target .. ' ' .. s.tries % ATTEMPTS, item.attempt)
    s.attempts, s.tries = s.attempts + 1, s.tries + 1
  end
  if item.outcome == 'retry' or item.outcome == 'release' then
    s.letter, s.fence = 'p', s.fence + 1
    add(group.due, integer(now + item.after), item.id)
  else
    s.letter = item.outcome == 'dead' and 'x' or 'd'
  end
  value = put(value, target, s)
  group.values[item.id], group.changed = value, true
  if s.letter ~= 'p' then close(group, item, value) end
  return 1
end

local function write(group)
  local e, states = group.e, {}
  for id, value in pairs(group.values) do add(states, id, value) end
  many('HSET', e.log, group.log)
  many('HSET', e.states, states)
  many('ZADD', group.queue, group.due)
  many('ZADD', group.targetDead, group.died)
  many('ZADD', e.dead, group.died)
  many('ZADD', e.history, group.delivered)
  many('ZREM', group.queue, group.left)
  many('ZREM', e.pending, group.closed)
  retire(e, group.finished, now)
  if group.limit then trim(e, group.limit, now) end
end

local function settleAll(group)
  local replies = {}
  for i, value in ipairs(redis.call('HMGET', group.e.states, unpack(group.ids))) do
    group.values[group.ids[i]] = value or nil
  end
  for i, item in ipairs(group.items) do replies[i] = settle(group, item) end
  if group.changed then write(group) end
  return replies
end

-- An endpoint whose keys are broken must not fail its neighbours.
local answers = {}
for n = 1, tonumber(take()) do
  local group = read()
  local ok, replies = pcall(settleAll, group)
  answers[n] = ok and replies or redis.error_reply(type(replies) == 'table' and replies.err or tostring(replies))
end
return answers
