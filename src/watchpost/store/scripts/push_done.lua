-- PUSH_DONE: a push has been processed.
-- KEYS 1 pushed stream   ARGV 1 group, 2 entry
-- returns 1, or 0 if it was processed before
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return redis.call('XDEL', KEYS[1], ARGV[2])
