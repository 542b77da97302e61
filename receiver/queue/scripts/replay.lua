local record, pending, dead, history = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, id, received, onlyDead = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[4] == '1'
local kept = redis.call('HMGET', record, 'h', 'o', 'k')
if not kept[1] then return -1 end
local open, buried, due = tonumber(kept[2]), tonumber(kept[3] or 0), 0
for i = 5, #ARGV do
  local target, queue, targetDead = ARGV[i], KEYS[2 * i - 5], KEYS[2 * i - 4]
  local letter, fence, attempts, _, tries = string.match(redis.call('HGET', record, 't:' .. target) or '', STATE)
  local wanted = letter == 'x' or letter and not onlyDead
  if letter == 'l' then
    wanted = wanted and tonumber(redis.call('ZSCORE', queue, id) or 0) <= now
  end
  if wanted then
    if due == 0 then
      redis.call('ZREM', history, id)
      redis.call('ZADD', pending, received, id)
    end
    due = due + 1
    if letter == 'd' or letter == 'x' then open = open + 1 end
    if letter == 'x' then
      buried = buried - 1
      redis.call('ZREM', targetDead, id)
      if buried == 0 then redis.call('ZREM', dead, id) end
    end
    redis.call('ZADD', queue, integer(now), id)
    redis.call('HSET', record, 'o', open, 'k', buried, 't:' .. target, state('p', fence + 1, 0, '1', tries))
  end
end
return due
