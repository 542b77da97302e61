local now, e = clock(ARGV[1]), endpoint(ARGV[2])
local id, replay, owner, hold = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local held = {KEYS[1], replay ~= '' and KEYS[2] or nil}

-- remembered reads a mark that holds its own end.
local function remembered(name)
  local expiry, first = string.match(redis.call('GET', e.marks .. name) or '', '^(%d+):(.*)$')
  return first and tonumber(expiry) > now and first
end

local seen = redis.call('ZSCORE', e.seen, id)
if seen and tonumber(seen) > now then return remembered(id) or id end
local window = tonumber(string.match(redis.call('HGET', e.states, id) or '', '^%d+ (%d+) ') or nil)
if window and (window == 0 or window > now) and redis.call('EXISTS', e.records .. id) == 1 then return id end
if replay ~= '' and remembered(replay) then return remembered(replay) end

for _, key in ipairs(held) do
  local till = string.match(redis.call('GET', key) or '', '^(%d+):')
  if till and tonumber(till) > now then return 1 end
end
for _, key in ipairs(held) do redis.call('SET', key, integer(now + hold) .. ':' .. owner, 'PX', hold) end
return 0
