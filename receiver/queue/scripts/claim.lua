local now, lease, limit, budget = clock(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local records, target = ARGV[5], ARGV[6]
local claimed, bytes = {}, 0
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', integer(now), 'BYSCORE', 'LIMIT', 0, limit)) do
  local record = records .. id
  local kept = redis.call('HMGET', record, 't:' .. target, 'm', 'b')
  local letter, fence, attempts, replay, tries = string.match(kept[1] or '', STATE)
  if letter == 'p' or letter == 'l' then
    bytes = bytes + #(kept[3] or '')
    if bytes > budget and #claimed > 0 then break end
    redis.call('HSET', record, 't:' .. target, state('l', fence + 1, attempts, replay, tries))
    redis.call('ZADD', KEYS[1], integer(now + lease), id)
    claimed[#claimed + 1] = {id, fence + 1, tonumber(attempts), tonumber(replay), kept[2] or '', kept[3] or ''}
  else
    redis.call('ZREM', KEYS[1], id)
    if not letter then redis.call('ZREM', KEYS[2], id) end
  end
end
return claimed
