local now, e, kind, most = clock(ARGV[1]), endpoint(ARGV[2]), ARGV[3], tonumber(ARGV[4])
if kind == 'history' then return trim(e, 0, most, now) end
if kind == 'excerpts' then
  local names = redis.call('HRANDFIELD', e.excerpts, most)
  names.n = #names
  many('HDEL', e.excerpts, names)
  return names.n
end
-- What marks point to goes with them. The youngest says what is forgotten by now.
local marks = redis.call('ZRANGE', e.seen, 0, most - 1, 'WITHSCORES')
local names = list()
for i = 1, #marks, 2 do push(names, e.marks .. string.gsub(marks[i], '^r:', '')) end
across('DEL', names)
if names.n > 0 then redis.call('ZREMRANGEBYRANK', e.seen, 0, names.n - 1) end
local youngest = tonumber(marks[#marks] or 0)
if youngest > now then
  redis.call('SET', e.forgotten, integer(youngest), 'PX', integer(youngest - now))
end
return names.n
