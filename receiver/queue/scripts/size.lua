-- An estimate from a few events, evenly spread over each index. A field and an
-- event cost a little beside what they hold.
local FIELD, EVENT = 64, 512
local records, most, total = ARGV[1], tonumber(ARGV[2]), 0
for _, index in ipairs(KEYS) do
  local count = redis.call('ZCARD', index)
  local looked, bytes = math.min(count, most), 0
  for i = 0, looked - 1 do
    local rank = integer(math.floor(i * count / looked))
    local record = records .. redis.call('ZRANGE', index, rank, rank)[1]
    for _, field in ipairs(redis.call('HKEYS', record)) do
      bytes = bytes + FIELD + redis.call('HSTRLEN', record, field)
    end
  end
  if looked > 0 then total = total + math.floor((bytes / looked + EVENT) * count) end
end
return total
