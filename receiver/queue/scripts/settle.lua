local record, queue, targetDead, pending, dead, history = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local now, id, target, outcome = clock(ARGV[1]), ARGV[2], ARGV[3], ARGV[5]
local after, reason, attempt, records = tonumber(ARGV[6]), ARGV[7], ARGV[8], ARGV[9]

local kept = redis.call('HMGET', record, 't:' .. target, 'o', 'k', 'h')
local letter, fence, attempts, replay, tries = string.match(kept[1] or '', STATE)
if letter ~= 'l' or fence ~= ARGV[4] then return 0 end

local fields = {}
if reason ~= '' then fields = {'r:' .. target, reason} end
if attempt ~= '' then
  fields[#fields + 1] = 'a:' .. target .. ':' .. (tries % tonumber(ARGV[10]))
  fields[#fields + 1] = attempt
  attempts, tries = attempts + 1, tries + 1
end

if outcome == 'retry' or outcome == 'release' then
  redis.call('ZADD', queue, integer(now + after), id)
  redis.call('HSET', record, 't:' .. target, state('p', fence + 1, attempts, replay, tries), unpack(fields))
  return 1
end

local open, buried = tonumber(kept[2]) - 1, tonumber(kept[3] or 0)
if outcome == 'dead' then
  buried = buried + 1
  redis.call('ZADD', targetDead, now, id)
  redis.call('ZADD', dead, now, id)
end
local limit = tonumber(kept[4])
if open == 0 and buried == 0 and limit == 0 then
  redis.call('ZREM', queue, id)
  redis.call('ZREM', pending, id)
  retire(record, now)
  trim(history, records, limit, now)
  return 1
end
redis.call('HSET', record, 'o', open, 'k', buried,
  't:' .. target, state(outcome == 'dead' and 'x' or 'd', fence, attempts, replay, tries), unpack(fields))
redis.call('ZREM', queue, id)
if open > 0 then return 1 end
redis.call('ZREM', pending, id)
if buried == 0 then
  redis.call('ZADD', history, now, id)
  trim(history, records, limit, now)
end
return 1
