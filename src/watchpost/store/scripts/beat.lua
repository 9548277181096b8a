-- BEAT: a process says that it works. Its name stands among all of them, so that who looks need not search the keys.
-- KEYS 1 this process's beat, 2 zset of all that beat: name → ms until which it counts   ARGV 1 name, 2 facts, 3 ms
-- returns 1
local now = now_ms()
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
return 1
