local pending, queue, targetDead = KEYS[1], KEYS[2], KEYS[3]
local count = redis.call('ZCARD', queue)
local reply = {count, redis.call('ZCARD', targetDead), '', ''}
if count == 0 then return reply end
reply[3] = redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2]

-- The oldest pending event of the endpoint need not be pending at this target.
local SAMPLE = 128
local head = redis.call('ZRANGE', pending, 0, SAMPLE - 1)
if #head == 0 then return reply end
local here = redis.call('ZMSCORE', queue, unpack(head))
for i, score in ipairs(here) do
  if score then
    reply[4] = redis.call('ZSCORE', pending, head[i])
    return reply
  end
end
if count > SAMPLE then
  reply[4] = redis.call('ZSCORE', pending, head[#head])
  return reply
end
local oldest
for _, score in ipairs(redis.call('ZMSCORE', pending, unpack(redis.call('ZRANGE', queue, 0, -1)))) do
  if score and (not oldest or tonumber(score) < tonumber(oldest)) then oldest = score end
end
reply[4] = oldest or ''
return reply
