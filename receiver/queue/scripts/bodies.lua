-- From the newest event to the oldest: once the bodies exceed the budget, all
-- that are older are given up. What is left of such a record is its start, with
-- the version marked, and the size that its body had.
local HEADER, SIZE, GONE = 37, 33, 128
local e, first, most = endpoint(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local bytes, budget = tonumber(ARGV[4]), tonumber(ARGV[5])
local ids = redis.call('ZRANGE', e.history, first, first + most - 1, 'REV')
for _, id in ipairs(ids) do
  local record = e.records .. id
  local start = redis.call('GETRANGE', record, 0, HEADER - 1)
  if #start == HEADER and string.byte(start) < GONE then
    local a, b, c, d = string.byte(start, SIZE + 1, HEADER)
    local whole = HEADER + ((a * 256 + b) * 256 + c) * 256 + d
    local body = redis.call('STRLEN', record) - whole
    if bytes + body <= budget then
      bytes = bytes + body
    else
      budget = bytes
      local kept = redis.call('GETRANGE', record, 1, whole - 1)
      redis.call('SET', record, string.char(string.byte(start) + GONE) .. kept .. integer(body))
    end
  end
end
return {#ids, bytes, budget}
