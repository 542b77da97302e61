local now = clock(ARGV[1])
local pending, queue, targetDead = KEYS[1], KEYS[2], KEYS[3]
local count = redis.call('ZCARD', queue)
local died = redis.call('ZRANGE', targetDead, 0, 0, 'WITHSCORES')[2]
local reply = {count, redis.call('ZCARD', targetDead), '', '', '', died and integer(died - now) or ''}
if count == 0 then return reply end
reply[3] = integer(redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2] - now)
reply[5] = integer(redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2] - now)

-- All of a short queue is looked at. For a long one the endpoint's oldest events
-- are, of which one is probably pending at this target.
local BATCH, LIMIT = 256, 4096
if count <= BATCH then
  local oldest
  for _, score in ipairs(ask('ZMSCORE', pending, redis.call('ZRANGE', queue, 0, -1))) do
    if score and (not oldest or tonumber(score) < tonumber(oldest)) then oldest = score end
  end
  reply[4] = oldest or ''
  return reply
end
for first = 0, LIMIT - 1, BATCH do
  local ids = redis.call('ZRANGE', pending, first, first + BATCH - 1)
  if #ids == 0 then return reply end
  for i, score in ipairs(ask('ZMSCORE', queue, ids)) do
    if score then
      reply[4] = redis.call('ZSCORE', pending, ids[i])
      return reply
    end
  end
  reply[4] = redis.call('ZSCORE', pending, ids[#ids])
end
return reply
