local e = endpoint(ARGV[2])
return trim(e, math.floor(redis.call('ZCARD', e.history) / 2), 128, clock(ARGV[1]))
