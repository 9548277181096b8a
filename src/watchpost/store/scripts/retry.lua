-- RETRY: a delivery did not go through and is tried again later.
-- KEYS 1 outbox stream, 2 out hash, 3 retry zset
-- ARGV 1 entry id, 2 delivery id, 3 delay ms, 4 state, 5 error, 6 consumer that keeps it in its place ('' = none),
--      7 how many attempts this was: 1, or 0 if the message must not pay for it
-- returns {'OK', attempts} | {'GONE'} another worker has decided: nothing was written
-- Kept in its place: the receiver as a whole is held, and the oldest message goes first when it no longer is. The
-- entry is left as one that was never taken and that nobody renews, so that anybody may take it over at once.
local held = ARGV[6] ~= ''
if held then
  if #redis.call('XPENDING', KEYS[1], 'notify', ARGV[1], ARGV[1], 1) == 0 then return {'GONE'} end
  redis.call('XCLAIM', KEYS[1], 'notify', ARGV[6], 0, ARGV[1], 'IDLE', 86400000, 'RETRYCOUNT', 0, 'JUSTID')
else
  if redis.call('XACK', KEYS[1], 'notify', ARGV[1]) == 0 then return {'GONE'} end
  redis.call('XDEL', KEYS[1], ARGV[1])
end
local attempts = redis.call('HINCRBY', KEYS[2], 'attempts', ARGV[7])
redis.call('HSET', KEYS[2], 'state', ARGV[4], 'error', ARGV[5])
if not held then redis.call('ZADD', KEYS[3], now_ms() + ARGV[3], ARGV[2]) end
return {'OK', attempts}
