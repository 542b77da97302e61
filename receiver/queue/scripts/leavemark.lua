-- The window first: once the mark is let go, a copy must find the event known.
local now, e = clock(ARGV[1]), endpoint(ARGV[2])
local id, replay, owner, window = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6])
local held = {KEYS[1], replay ~= '' and KEYS[2] or nil}
if window > 0 then
  local till = integer(now + window)
  redis.call('ZADD', e.seen, till, id)
  redis.call('DEL', e.marks .. id)
  if replay ~= '' then
    redis.call('SET', e.marks .. replay, till .. ':' .. id, 'PX', window)
    redis.call('ZADD', e.seen, till, 'r:' .. replay)
  end
  forget(e, 3, now)
end
for _, key in ipairs(held) do
  if string.match(redis.call('GET', key) or '', ':(.*)$') == owner then redis.call('DEL', key) end
end
return 1
