local now, limit, lease = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local late = redis.call('ZRANGE', KEYS[1], '(' .. integer(now + limit), '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[4])
local due = list()
for _, id in ipairs(late) do add(due, integer(now + lease), id) end
many('ZADD', KEYS[1], due)
return #late
