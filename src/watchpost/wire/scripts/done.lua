-- DONE: a delivery arrived. Idempotent: a second call changes nothing.
-- KEYS 1 outbox stream, 2 out hash, 3 sent zset   ARGV 1 entry id, 2 delivery id, 3 ttl of sent ms
local now = now_ms()
redis.call('XACK', KEYS[1], 'notify', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('DEL', KEYS[2]) == 1 then redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[2]) end
return {'OK'}
