-- Order matters: scripts are atomic, not transactional. The schedule and the
-- state come first and the record, without which there is no mark, after them; a
-- script that fails half way leaves ids without a record, which claims sweep
-- up, never a mark without a payload. Running out of memory is refused before
-- the first line.
local now, fence, again = clock(ARGV[1]), ARGV[2], ARGV[3] == '1'

-- standing reads a mark that holds its own end: "<end ms>:<id of the first>".
local function standing(name)
  local seen = redis.call('GET', name)
  local expiry, first = string.match(seen or '', '^(%d+):(.*)$')
  if not first or tonumber(expiry) <= now then return nil end
  if again then redis.call('SET', name, seen, 'KEEPTTL') end
  return first
end

-- duplicate returns the id of the first event with the mark, nil if there is
-- none, or nil and true if its window is over and it is still kept. Writing a
-- mark again, as it is, lets a replica confirm that it has it.
local function duplicate(e, mark, id, state, seen)
  if seen and tonumber(seen) > now then
    if again then
      redis.call('ZREM', e.seen, mark)
      redis.call('ZADD', e.seen, seen, mark)
    end
    return standing(e.marks .. mark) or mark
  end
  local window = tonumber(string.match(state or '', '^%d+ (%d+) ') or nil)
  if not window or redis.call('EXISTS', e.records .. mark) == 0 then return nil end
  if window == 0 or window > now then
    if again then redis.call('HSET', e.states, mark, state) end
    return mark
  end
  return nil, mark == id
end

-- likeness says whether the body of a duplicate is that of the first. The record of
-- the first is at the key, or the other one for a copy in the same group.
local function likeness(key, other, record)
  local own, from = bodyAt(record), bodyAt(other or redis.call('GETRANGE', key, 0, HEADER - 1))
  if not from then return 'unknown' end
  local length = other and #other or redis.call('STRLEN', key)
  if length - from ~= #record - own then return 'different' end
  local first = other and string.sub(other, from + 1) or redis.call('GETRANGE', key, from, -1)
  return first == string.sub(record, own + 1) and 'same' or 'different'
end

-- initial is the state of the events of a group, the same for all.
local function initial(group, window)
  local state, leased = head(window, group.history), group.lease > 0
  for i = group.targets, group.targets + group.width - 1 do
    state = state .. line(ARGV[i], {
      letter = leased and 'l' or 'p', fence = leased and fence or 0, attempts = 0, replay = '0', tries = 0, reason = '',
    })
  end
  for i = group.buried, group.events - 1 do
    state = state .. line(ARGV[i], {
      letter = 'x', fence = 0, attempts = 0, replay = '0', tries = 0, reason = group.reason,
    })
  end
  return state
end

-- judge answers each event of a group and gathers those that are new. Copies in
-- one group have the first of them as theirs.
local function judge(e, group, fresh)
  local marks = {}
  for i = 1, group.count do marks[i] = ARGV[group.events + (i - 1) * group.step] end
  local states = ask('HMGET', e.states, marks)
  local seen = ask('ZMSCORE', e.seen, marks)
  local own, other = initial(group, group.window), initial(group, '0')
  local replies, taken, at = {}, {}, group.events
  for i, mark in ipairs(marks) do
    local id, replay = ARGV[at + 1], group.replay and e.marks .. ARGV[at + 4]
    local copy = taken[mark]
    local first, kept = copy and ARGV[copy + 1], false
    if not first and (states[i] or seen[i]) then first, kept = duplicate(e, mark, id, states[i], seen[i]) end
    if not first and not kept and replay then
      copy = taken[replay]
      first = copy and ARGV[copy + 1] or standing(replay)
    end
    if first then
      replies[i] = likeness(e.records .. first, copy and ARGV[copy + 3], ARGV[at + 3]) .. ' ' .. first
    elseif kept then
      replies[i] = 1
    else
      replies[i], taken[mark] = 0, at
      if replay then taken[replay] = at end
      add(fresh.queued, group.due, id)
      add(fresh.pending, ARGV[at + 2], id)
      add(fresh.died, integer(now), id)
      add(fresh.states, id, mark == id and own or other)
      add(fresh.records, e.records .. id, ARGV[at + 3])
      if mark ~= id then add(fresh.marks, e.marks .. mark, id) add(fresh.seen, group.window, mark) end
      if replay then
        add(fresh.marks, replay, id)
        add(fresh.seen, group.window, 'r:' .. ARGV[at + 4])
      end
    end
    at = at + group.step
  end
  return replies
end

local function store(e, group, fresh)
  for i = group.queues, group.graves - 1 do many('ZADD', KEYS[i], fresh.queued) end
  for i = group.graves, group.graves + group.dead - 1 do many('ZADD', KEYS[i], fresh.died) end
  if group.width > 0 then many('ZADD', e.pending, fresh.pending) end
  if group.dead > 0 then many('ZADD', e.dead, fresh.died) end
  many('HSET', e.states, fresh.states)
  across('MSET', fresh.records)
  if group.remember == 0 then return end
  for i = 1, fresh.marks.n, 2 do
    redis.call('SET', fresh.marks[i], group.window .. ':' .. fresh.marks[i + 1], 'PX', group.remember)
  end
  many('ZADD', e.seen, fresh.seen)
end

local function admit(group)
  local e = endpoint(group.prefix)
  local fresh = {
    queued = list(), pending = list(), died = list(), states = list(), records = list(), marks = list(), seen = list(),
  }
  local replies = judge(e, group, fresh)
  if fresh.records.n > 0 then store(e, group, fresh) end
  forget(e, 3 * group.count, now)
  return replies
end

-- read finds a group in the arguments: where its targets and events begin.
local function read(arg, key)
  local group = {
    prefix = ARGV[arg], lease = tonumber(ARGV[arg + 1]), remember = tonumber(ARGV[arg + 2]), history = ARGV[arg + 3],
    replay = ARGV[arg + 4] == '1', reason = ARGV[arg + 5], width = tonumber(ARGV[arg + 6]),
    dead = tonumber(ARGV[arg + 7]), count = tonumber(ARGV[arg + 8]), targets = arg + 9, queues = key,
  }
  group.graves, group.buried = group.queues + group.width, group.targets + group.width
  group.events, group.step = group.buried + group.dead, group.replay and 5 or 4
  group.due = integer(now + group.lease)
  group.window = group.remember > 0 and integer(now + group.remember) or '0'
  return group
end

-- An endpoint whose keys are broken must not fail its neighbours.
local answers, arg, key = {}, 5, 1
for n = 1, tonumber(ARGV[4]) do
  local group = read(arg, key)
  arg, key = group.events + group.count * group.step, group.graves + group.dead
  local ok, replies = pcall(admit, group)
  answers[n] = ok and replies or redis.error_reply(type(replies) == 'table' and replies.err or tostring(replies))
end
return answers
