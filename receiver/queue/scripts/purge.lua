local removed = 0
for i = 1, 3 do
  for _, id in ipairs(redis.call('ZRANGE', KEYS[i], 0, 99)) do
    redis.call('DEL', ARGV[1] .. id)
    redis.call('ZREM', KEYS[i], id)
    removed = removed + 1
  end
end
if removed == 0 then redis.call('DEL', unpack(KEYS)) end
return removed
