-- By rank, upwards: what is released moves below the batch, so that the next
-- one begins where this one ends.
local now, e, target, first = clock(ARGV[1]), endpoint(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local seen = redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[5]) - 1, 'WITHSCORES')
local ids = {}
for i = 1, #seen, 2 do
  if tonumber(seen[i + 1]) > now then ids[#ids + 1] = seen[i] end
end
if #ids > 0 then
  local values, states, due = redis.call('HMGET', e.states, unpack(ids)), list(), list()
  for i, id in ipairs(ids) do
    local s = look(values[i], target)
    if s and s.letter == 'l' then
      s.letter, s.fence = 'p', s.fence + 1
      add(states, id, put(values[i], target, s))
      add(due, integer(now), id)
    end
  end
  many('HSET', e.states, states)
  many('ZADD', KEYS[1], due)
end
return #seen / 2
