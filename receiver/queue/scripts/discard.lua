-- The id of an event and its targets, or an age and one target: then those of its
-- dead letters that died so long ago, at most as many as named.
local now, e, id, age = clock(ARGV[1]), endpoint(ARGV[2]), ARGV[3], ARGV[4]

-- discard gives up what is dead of an event at targets. Once no target is left it
-- goes, but for its mark; where one has it, it is part of the history.
local function discard(id, targets)
  local value, count = redis.call('HGET', e.states, id), 0
  if not value then return -1 end
  local readable = string.find(value, HEAD)
  for i, target in ipairs(targets) do
    local s = look(value, target)
    if s and s.letter == 'x' then
      s.letter = 'g'
      value = put(value, target, s)
    end
    count = count + redis.call('ZREM', KEYS[i], id)
  end
  if count == 0 then return 0 end
  local open, buried = unfinished(value)
  if buried == 0 then redis.call('ZREM', e.dead, id) end
  if open > 0 or buried > 0 or not readable and redis.call('ZSCORE', e.pending, id) then
    redis.call('HSET', e.states, id, value)
    return count
  end
  local _, limit = string.match(value, HEAD)
  if limit and limit ~= '0' and string.find(value, '\n%S+ d ') then
    redis.call('HSET', e.states, id, value)
    redis.call('ZADD', e.history, integer(now), id)
    trim(e, tonumber(limit), 128, now)
  else
    retire(e, {id}, now)
  end
  return count
end

if age == '' then
  local targets = {}
  for i = 5, #ARGV do targets[#targets + 1] = ARGV[i] end
  return discard(id, targets)
end
local ids = redis.call('ZRANGE', KEYS[1], '-inf', integer(now - tonumber(age)), 'BYSCORE', 'LIMIT', 0, ARGV[6])
for _, old in ipairs(ids) do
  -- An id without a state is what is left of an event.
  if discard(old, {ARGV[5]}) == -1 then redis.call('ZREM', KEYS[1], old) end
end
return #ids
