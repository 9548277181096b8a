-- RETRY: a delivery did not go through and is tried again later.
-- KEYS 1 outbox stream, 2 out hash, 3 retry zset   ARGV 1 entry id, 2 delivery id, 3 delay ms, 4 state, 5 error
-- returns {'OK', attempts} | {'GONE'} another worker has decided: nothing was written
if redis.call('XACK', KEYS[1], 'notify', ARGV[1]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[1])
local attempts = redis.call('HINCRBY', KEYS[2], 'attempts', 1)
redis.call('HSET', KEYS[2], 'state', ARGV[4], 'error', ARGV[5])
redis.call('ZADD', KEYS[3], now_ms() + ARGV[3], ARGV[2])
return {'OK', attempts}
