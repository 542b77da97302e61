local e, removed = endpoint(ARGV[1]), 0
for _, index in ipairs({e.pending, e.dead, e.history}) do
  local ids = redis.call('ZRANGE', index, 0, 99)
  if #ids > 0 then redis.call('ZREM', index, unpack(ids)) end
  retire(e, ids, math.huge)
  removed = removed + #ids
end
if removed == 0 then
  redis.call('UNLINK', e.pending, e.dead, e.history, e.states, e.log, e.seen, unpack(KEYS))
end
return removed
