-- BEAT: a process reports that it is running. One zset names them all, so that nobody needs to search the keys.
-- KEYS 1 this process's beat, 2 zset of the running processes: name → ms until which it counts, 3 meta
-- ARGV 1 name, 2 facts, 3 ms for which the beat counts, 4… the roles that it runs: meta keeps when each last ran
-- returns 1
local now = now_ms()
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
for at = 4, #ARGV do redis.call('HSET', KEYS[3], 'ran_' .. ARGV[at], now) end
return 1
