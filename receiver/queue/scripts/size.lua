-- An estimate from a few events, evenly spread over each index. An event costs
-- a little beside what it holds.
local EVENT = 640
local e, most, total = endpoint(ARGV[1]), tonumber(ARGV[2]), 0
for _, index in ipairs({e.pending, e.dead, e.history}) do
  local count = redis.call('ZCARD', index)
  local looked, bytes = math.min(count, most), 0
  for i = 0, looked - 1 do
    local rank = integer(math.floor(i * count / looked))
    local id = redis.call('ZRANGE', index, rank, rank)[1]
    bytes = bytes + redis.call('STRLEN', e.records .. id)
    local attempts, excerpts = logged(redis.call('HGET', e.states, id) or '')
    for _, field in ipairs(attempts) do bytes = bytes + redis.call('HSTRLEN', e.log, id .. field) end
    for _, field in ipairs(excerpts) do bytes = bytes + redis.call('HSTRLEN', e.excerpts, id .. field) end
  end
  if looked > 0 then total = total + math.floor((bytes / looked + EVENT) * count) end
end
return total
