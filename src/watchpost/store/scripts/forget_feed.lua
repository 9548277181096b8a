-- FORGET_FEED: a feed that no configuration has named for a long time loses its schedule and its memory.
-- KEYS 1 feeds zset, 2 source hash   ARGV 1 name, 2 fence
-- returns 1, or 0 if somebody else has claimed it since
if redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1
