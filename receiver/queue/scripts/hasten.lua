local now, limit, lease = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local e, target = endpoint(ARGV[5]), ARGV[6]
local late = redis.call('ZRANGE', KEYS[1], '(' .. integer(now + limit), '+inf', 'BYSCORE', 'LIMIT', 0, ARGV[4])
if #late == 0 then return 0 end
local values, due = ask('HMGET', e.states, late), list()
for i, id in ipairs(late) do
  local s = look(values[i], target)
  local leased = s and s.letter == 'l'
  if not leased then
    add(due, integer(now), id)
  elseif lease > 0 then
    add(due, integer(now + lease), id)
  end
end
many('ZADD', KEYS[1], due)
return due.n / 2
