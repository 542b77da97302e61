-- By rank, upwards: what is released moves below the batch, so that the next
-- one begins where this one ends.
local now, records, target, first = clock(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local seen = redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[5]) - 1, 'WITHSCORES')
for i = 1, #seen, 2 do
  if tonumber(seen[i + 1]) > now then
    local record = records .. seen[i]
    local letter, fence, attempts, replay, tries = string.match(redis.call('HGET', record, 't:' .. target) or '', STATE)
    if letter == 'l' then
      redis.call('HSET', record, 't:' .. target, state('p', fence + 1, attempts, replay, tries))
      redis.call('ZADD', KEYS[1], integer(now), seen[i])
    end
  end
end
return #seen / 2
