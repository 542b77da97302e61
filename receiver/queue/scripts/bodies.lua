-- From the newest event to the oldest: once the bodies exceed the budget, all
-- that are older are given up. What is left of such a record is its start, with
-- the version marked, and the size that its body had.
local e, first, most = endpoint(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bytes, budget = tonumber(ARGV[4]), tonumber(ARGV[5])
local ids = redis.call('ZRANGE', e.history, first, first + most - 1, 'REV')
for _, id in ipairs(ids) do
  local record = e.records .. id
  local start = redis.call('GETRANGE', record, 0, HEADER - 1)
  local whole = bodyAt(start)
  if whole then
    local size = redis.call('STRLEN', record) - whole
    if bytes + size <= budget then
      bytes = bytes + size
    else
      budget = bytes
      local kept = redis.call('GETRANGE', record, 1, whole - 1)
      redis.call('SET', record, string.char(string.byte(start) + GONE) .. kept .. integer(size))
    end
  end
end
return {#ids, bytes, budget}
