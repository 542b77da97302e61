local now, lease, e, target = clock(ARGV[1]), tonumber(ARGV[2]), endpoint(ARGV[3]), ARGV[4]
local ids, lost, due = {}, {}, list()
for i = 5, #ARGV, 2 do ids[#ids + 1] = ARGV[i] end
for i, value in ipairs(ask('HMGET', e.states, ids)) do
  local s = look(value, target)
  if s and s.letter == 'l' and s.fence == tonumber(ARGV[2 * i + 4]) then
    add(due, integer(now + lease), ids[i])
  else
    lost[#lost + 1] = i - 1
  end
end
many('ZADD', KEYS[1], due)
return lost
