-- By rank, upwards: what is released moves below the batch, so that the next
-- one begins where this one ends.
local now, e, target, first = clock(ARGV[1]), endpoint(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local seen = redis.call('ZRANGE', KEYS[1], first, first + tonumber(ARGV[5]) - 1, 'WITHSCORES')
local ids = {}
for i = 1, #seen, 2 do
  if tonumber(seen[i + 1]) > now then ids[#ids + 1] = seen[i] end
end
release(e, KEYS[1], target, ids, nil, now)
return #seen / 2
