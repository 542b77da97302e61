local now, lease, records, target = clock(ARGV[1]), tonumber(ARGV[2]), ARGV[3], ARGV[4]
local lost = {}
for i = 5, #ARGV, 2 do
  local letter, fence = string.match(redis.call('HGET', records .. ARGV[i], 't:' .. target) or '', STATE)
  if letter == 'l' and fence == ARGV[i + 1] then
    redis.call('ZADD', KEYS[1], integer(now + lease), ARGV[i])
  else
    lost[#lost + 1] = (i - 5) / 2
  end
end
return lost
