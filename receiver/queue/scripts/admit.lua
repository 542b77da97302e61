-- Order matters: scripts are atomic, not transactional. The schedule comes
-- first and the record, which is the mark, after it; a script that fails half
-- way leaves ids without a record, which claims sweep up, never a mark without
-- a payload. Running out of memory is refused before the first line.
local now, again = clock(ARGV[1]), ARGV[2] == '1'
local key, arg = 1, 3

local function take()
  arg = arg + 1
  return ARGV[arg - 1]
end

-- duplicate returns the id of the first event with the item's mark, false if
-- there is none, or nil and true if its window is over and it is still kept.
-- Writing a mark again, as it is, lets a replica confirm that it has it.
local function duplicate(item)
  local mark = redis.call('HMGET', item.mark, 'x', 'n', 'h')
  local window = tonumber(mark[1])
  if window and (window == 0 or window > now) then
    if again then redis.call('HSET', item.mark, 'x', mark[1]) end
    return mark[2] or item.id
  end
  if window and item.mark == item.record then
    if mark[3] then return nil, true end
    redis.call('DEL', item.mark)
  end
  if not item.replay then return false end
  local seen = redis.call('GET', item.replay)
  if not seen then return false end
  local expiry, first = string.match(seen, '^(%d+):(.*)$')
  if tonumber(expiry) <= now then return false end
  if again then redis.call('SET', item.replay, seen, 'KEEPTTL') end
  return first
end

local function store(item)
  for i, _ in ipairs(item.targets) do
    redis.call('ZADD', item.queues[i], integer(now + item.lease), item.storeID)
  end
  redis.call('ZADD', item.pending, item.received, item.storeID)
  local window = item.remember > 0 and integer(now + item.remember) or '0'
  local own = item.mark == item.record
  local fields = {'m', item.meta, 'b', item.body, 'x', own and window or '0', 'h', item.history, 'o', #item.targets}
  local start = item.lease > 0 and state('l', 1, 0, '0', 0) or state('p', 0, 0, '0', 0)
  for _, target in ipairs(item.targets) do
    fields[#fields + 1] = 't:' .. target
    fields[#fields + 1] = start
  end
  redis.call('HSET', item.record, unpack(fields))
  if not own then
    redis.call('HSET', item.mark, 'x', window, 'n', item.storeID)
    if redis.call('HEXISTS', item.mark, 'h') == 0 then redis.call('PEXPIRE', item.mark, item.remember) end
  end
  if item.replay and item.remember > 0 then
    redis.call('SET', item.replay, window .. ':' .. item.storeID, 'PX', item.remember)
  end
end

local replies = {}
for n = 1, tonumber(take()) do
  local item = {
    id = take(), storeID = take(), lease = tonumber(take()), remember = tonumber(take()), history = take(),
    received = take(), meta = take(), body = take(), targets = {}, queues = {},
    mark = KEYS[key], record = KEYS[key + 1], pending = KEYS[key + 2],
  }
  key = key + 3
  if take() == '1' then
    item.replay = KEYS[key]
    key = key + 1
  end
  for i = 1, tonumber(take()) do
    item.targets[i], item.queues[i] = take(), KEYS[key]
    key = key + 1
  end
  local first, kept = duplicate(item)
  if first then
    replies[n] = first
  elseif kept then
    replies[n] = 1
  else
    store(item)
    replies[n] = 0
  end
end
return replies
