return forget(endpoint(ARGV[2]), tonumber(ARGV[3]), clock(ARGV[1]))
