-- Order matters: scripts are atomic, not transactional. The schedule and the
-- state come first and the record, without which there is no mark, after them; a
-- script that fails half way leaves ids without a record, which claims sweep
-- up, never a mark without a payload. Running out of memory is refused before
-- the first line.
local now, again = clock(ARGV[1]), ARGV[2] == '1'
local key, arg = 1, 3

local function take()
  arg = arg + 1
  return ARGV[arg - 1]
end

-- standing reads a mark that holds its own end: "<end ms>:<id of the first>".
local function standing(name)
  local seen = redis.call('GET', name)
  local expiry, first = string.match(seen or '', '^(%d+):(.*)$')
  if not first or tonumber(expiry) <= now then return nil end
  if again then redis.call('SET', name, seen, 'KEEPTTL') end
  return first
end

-- duplicate returns the id of the first event with the item's mark, nil if
-- there is none, or nil and true if its window is over and it is still kept.
-- Writing a mark again, as it is, lets a replica confirm that it has it.
local function duplicate(e, group, item, state, mark)
  if mark and tonumber(mark) > now then
    if again then
      redis.call('ZREM', e.seen, item.mark)
      redis.call('ZADD', e.seen, mark, item.mark)
    end
    return standing(e.marks .. item.mark) or item.mark
  end
  local window = tonumber(string.match(state or '', '^%d+ (%d+) ') or nil)
  if window and redis.call('EXISTS', e.records .. item.mark) == 1 then
    if window == 0 or window > now then
      if again then redis.call('HSET', e.states, item.mark, state) end
      return item.mark
    end
    if item.mark == item.id then return nil, true end
  end
  if group.replay then return standing(e.marks .. item.replay) end
end

-- judge answers each item of a group and returns those that are new. Copies in
-- one group have the first of them as theirs.
local function judge(e, group, replies)
  local states = redis.call('HMGET', e.states, unpack(group.marks))
  local seen = redis.call('ZMSCORE', e.seen, unpack(group.marks))
  local fresh, taken = {}, {}
  for i, item in ipairs(group.items) do
    local first, kept = taken[item.mark] or group.replay and taken[e.marks .. item.replay]
    if not first then first, kept = duplicate(e, group, item, states[i], seen[i]) end
    replies[#replies + 1] = first or (kept and 1 or 0)
    if not first and not kept then
      fresh[#fresh + 1] = item
      taken[item.mark] = item.id
      if group.replay then taken[e.marks .. item.replay] = item.id end
    end
  end
  return fresh
end

-- initial is the state of the events of a group, the same for all.
local function initial(group, window)
  local state = head(window, group.history)
  local leased = group.lease > 0
  for _, target in ipairs(group.targets) do
    state = state .. line(target, {
      letter = leased and 'l' or 'p', fence = leased and 1 or 0, attempts = 0, replay = '0', tries = 0, reason = '',
    })
  end
  return state
end

local function store(e, group, fresh)
  local due, window = integer(now + group.lease), group.remember > 0 and integer(now + group.remember) or '0'
  local own, other = initial(group, window), initial(group, '0')
  local queued, pending, states, records = {}, {}, {}, {}
  for _, item in ipairs(fresh) do
    add(queued, due, item.id)
    add(pending, item.received, item.id)
    add(states, item.id, item.mark == item.id and own or other)
    add(records, e.records .. item.id, item.record)
  end
  for _, queue in ipairs(group.queues) do redis.call('ZADD', queue, unpack(queued)) end
  redis.call('ZADD', e.pending, unpack(pending))
  redis.call('HSET', e.states, unpack(states))
  redis.call('MSET', unpack(records))
  if group.remember == 0 then return end
  for _, item in ipairs(fresh) do
    if item.mark ~= item.id then
      redis.call('SET', e.marks .. item.mark, window .. ':' .. item.id, 'PX', group.remember)
      redis.call('ZADD', e.seen, window, item.mark)
    end
    if group.replay then
      redis.call('SET', e.marks .. item.replay, window .. ':' .. item.id, 'PX', group.remember)
    end
  end
end

local function read()
  local group = {
    prefix = take(), lease = tonumber(take()), remember = tonumber(take()), history = take(), replay = take() == '1',
    targets = {}, queues = {}, items = {}, marks = {},
  }
  for i = 1, tonumber(take()) do
    group.targets[i], group.queues[i] = take(), KEYS[key]
    key = key + 1
  end
  for i = 1, tonumber(take()) do
    local item = {mark = take(), id = take(), received = take(), record = take(), replay = group.replay and take()}
    group.items[i], group.marks[i] = item, item.mark
  end
  return group
end

local function admit(group)
  local e, replies = endpoint(group.prefix), {}
  local fresh = judge(e, group, replies)
  if #fresh > 0 then store(e, group, fresh) end
  forget(e, 2 * #group.items, now)
  return replies
end

-- An endpoint whose keys are broken must not fail its neighbours.
local answers = {}
for n = 1, tonumber(take()) do
  local group = read()
  local ok, replies = pcall(admit, group)
  answers[n] = ok and replies or redis.error_reply(type(replies) == 'table' and replies.err or tostring(replies))
end
return answers
