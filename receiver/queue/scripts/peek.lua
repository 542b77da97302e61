local records, found = ARGV[1], {}
for i = 2, #ARGV do
  local record = records .. ARGV[i]
  local names = {}
  for _, name in ipairs(redis.call('HKEYS', record)) do
    if name ~= 'b' then names[#names + 1] = name end
  end
  local fields = {}
  if #names > 0 then
    local values = redis.call('HMGET', record, unpack(names))
    for j, name in ipairs(names) do
      fields[#fields + 1] = name
      fields[#fields + 1] = values[j]
    end
  end
  found[#found + 1] = {ARGV[i], redis.call('HSTRLEN', record, 'b'), fields}
end
return found
