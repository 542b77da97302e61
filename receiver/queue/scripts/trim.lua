local limit = math.floor(redis.call('ZCARD', KEYS[1]) / 2)
return trim(KEYS[1], ARGV[2], limit, clock(ARGV[1]))
