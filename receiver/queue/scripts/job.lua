local now, owner, hold, keep = clock(ARGV[1]), ARGV[2], tonumber(ARGV[3]), ARGV[4]
local job = redis.call('HMGET', KEYS[1], 'o', 'u', 's')
local mine = job[1] == owner
if not mine and (ARGV[5] or job[1] and tonumber(job[2]) > now) then return {0, job[3] or ''} end
redis.call('HSET', KEYS[1], 'o', owner, 'u', integer(now + hold), 's', ARGV[5] or job[3] or '')
redis.call('PEXPIRE', KEYS[1], keep)
return {1, ARGV[5] or job[3] or ''}
