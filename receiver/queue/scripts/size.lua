-- An estimate from a few events, evenly spread over each index. An event and a
-- mark cost a little beside what they hold.
local EVENT, EXCERPT, MARK = 640, 120, 160
local e, most = endpoint(ARGV[1]), tonumber(ARGV[2])

local function eventBytes(id)
  local bytes = EVENT + redis.call('STRLEN', e.records .. id)
  for _, field in ipairs((logged(redis.call('HGET', e.states, id) or ''))) do
    bytes = bytes + redis.call('HSTRLEN', e.log, id .. field)
  end
  return bytes
end

local function indexBytes(index)
  local count = redis.call('ZCARD', index)
  local looked, bytes = math.min(count, most), 0
  for i = 0, looked - 1 do
    local rank = integer(math.floor(i * count / looked))
    bytes = bytes + eventBytes(redis.call('ZRANGE', index, rank, rank)[1])
  end
  return looked > 0 and math.floor(bytes / looked * count) or 0, count
end

local function excerptBytes()
  local count, bytes = redis.call('HLEN', e.excerpts), 0
  if count == 0 then return 0, 0 end
  local names = redis.call('HRANDFIELD', e.excerpts, most)
  for _, name in ipairs(names) do bytes = bytes + EXCERPT + redis.call('HSTRLEN', e.excerpts, name) end
  return math.floor(bytes / #names * count), count
end

local marks = redis.call('ZCARD', e.seen)
local history, events = indexBytes(e.history)
local excerpts, answers = excerptBytes()
return {indexBytes(e.pending) + indexBytes(e.dead), excerpts, answers, history, events, marks * MARK, marks,
  tonumber(redis.call('GET', e.forgotten) or 0)}
