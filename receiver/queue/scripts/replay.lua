local e = endpoint(ARGV[1])
local now, id, received, onlyDead = clock(ARGV[2]), ARGV[3], ARGV[4], ARGV[5] == '1'
local value, due = redis.call('HGET', e.states, id), 0
if not value or not string.find(value, HEAD) then return -1 end
if (string.byte(redis.call('GETRANGE', e.records .. id, 0, 0)) or 0) >= 128 then return -2 end
for i = 6, #ARGV do
  local target, queue, targetDead = ARGV[i], KEYS[2 * i - 11], KEYS[2 * i - 10]
  local s = look(value, target)
  local wanted = s and (s.letter == 'x' or not onlyDead)
  if wanted and s.letter == 'l' then
    wanted = tonumber(redis.call('ZSCORE', queue, id) or 0) <= now
  end
  if wanted then
    if due == 0 then
      redis.call('ZREM', e.history, id)
      redis.call('ZADD', e.pending, received, id)
    end
    due = due + 1
    redis.call('ZREM', targetDead, id)
    redis.call('ZADD', queue, integer(now), id)
    s.letter, s.fence, s.attempts, s.replay = 'p', s.fence + 1, 0, integer(now)
    value = put(value, target, s)
    local _, buried = unfinished(value)
    if buried == 0 then redis.call('ZREM', e.dead, id) end
    redis.call('HSET', e.states, id, value)
  end
end
return due
