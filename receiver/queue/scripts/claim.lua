-- The records themselves are read by a command of their own: a script would
-- make strings of Lua of them, at several times the cost.
local now, lease, limit, budget = clock(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local e, target, queue = endpoint(ARGV[5]), ARGV[6], KEYS[1]
local note, name, lost = KEYS[2], ARGV[7], ARGV[8]

-- What a claim took whose answer was lost is due again; a claim that comes after
-- the one that calls it lost takes nothing.
local latest, gone, had = string.match(redis.call('GET', note) or '', '^(%x+) ([%x,]*)\n(.*)$')
if latest and string.find(gone, name, 1, true) then return {} end
if latest and string.find(lost, latest, 1, true) then
  local ids, fences = {}, {}
  for id, fence in string.gmatch(had, '(%S+) (%d+)') do
    ids[#ids + 1], fences[#fences + 1] = id, tonumber(fence)
  end
  release(e, queue, target, ids, fences, now)
end

local taken = {}
local function leave()
  if #taken == 0 and lost == '' then return end
  redis.call('SET', note, name .. ' ' .. lost .. '\n' .. table.concat(taken, ' '), 'PX', math.max(lease, 1))
end

local ids = redis.call('ZRANGE', queue, '-inf', integer(now), 'BYSCORE', 'LIMIT', 0, limit)
if #ids == 0 then
  leave()
  return {}
end
local values = ask('HMGET', e.states, ids)
local claimed, leased, bytes = {}, 0, 0
local due, states, later, elsewhere, swept = list(), list(), list(), list(), list()
for i, id in ipairs(ids) do
  local value, record = values[i], e.records .. id
  local size = redis.call('STRLEN', record)
  local s = look(value, target)
  if not value or size == 0 and redis.call('EXISTS', record) == 0 then
    push(swept, id)
  elseif not string.find(value, HEAD) then
    add(later, integer(now + NEWER), id)
    claimed[#claimed + 1] = {id, 0, 0, -1, redis.call('ZSCORE', e.pending, id) or ''}
  elseif s and (s.letter == 'p' or s.letter == 'l') then
    bytes = bytes + size
    if bytes > budget and leased > 0 then break end
    s.letter, s.fence = 'l', s.fence + 1
    add(states, id, put(value, target, s))
    add(due, integer(now + lease), id)
    claimed[#claimed + 1] = {
      id, s.fence, s.attempts, s.replay == '0' and -1 or math.max(now - tonumber(s.replay), 0), '',
    }
    leased = leased + 1
    taken[#taken + 1] = id .. ' ' .. s.fence
  else
    push(elsewhere, id)
  end
end
many('HSET', e.states, states)
many('ZADD', queue, due)
many('ZADD', queue, later)
many('ZREM', queue, elsewhere)
-- Half of an event is none.
if swept.n > 0 then
  many('ZREM', queue, swept)
  many('ZREM', e.pending, swept)
  retire(e, swept, math.huge)
end
leave()
return claimed
