local e, removed = endpoint(ARGV[1]), 0
for _, index in ipairs({e.pending, e.dead, e.history}) do
  local ids = redis.call('ZRANGE', index, 0, 99)
  if #ids > 0 then redis.call('ZREMRANGEBYRANK', index, 0, #ids - 1) end
  retire(e, ids, math.huge)
  removed = removed + #ids
end
if removed == 0 then
  local rest = list()
  for _, key in ipairs({e.pending, e.dead, e.history, e.states, e.log, e.excerpts, e.seen, e.forgotten}) do push(rest, key) end
  for _, key in ipairs(KEYS) do push(rest, key) end
  across('UNLINK', rest)
end
return removed
