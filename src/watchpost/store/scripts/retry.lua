-- RETRY: an attempt failed, and the delivery is tried again later.
-- KEYS 1 outbox stream, 2 out hash, 3 retry zset
-- ARGV 1 JSON: entry, delivery (their ids); delay_ms; state; error; consumer (holds it in its place; '' = none);
--      attempts (to count: 1, or 0 if the message was not really tried)
-- returns {'OK', attempts} | {'GONE'} another worker has decided: nothing was written
-- Held in its place: all messages of the receiver are held, and the oldest goes first afterwards. The entry looks as if
-- it had never been claimed and nobody renewed it, so that any consumer may claim it at once.
local outbox, out, retry = unpack(KEYS)
local arg = cjson.decode(ARGV[1])
local held = arg.consumer ~= ''
if held then
  if #redis.call('XPENDING', outbox, 'notify', arg.entry, arg.entry, 1) == 0 then return {'GONE'} end
  redis.call('XCLAIM', outbox, 'notify', arg.consumer, 0, arg.entry, 'IDLE', 86400000, 'RETRYCOUNT', 0, 'JUSTID')
else
  if redis.call('XACK', outbox, 'notify', arg.entry) == 0 then return {'GONE'} end
  redis.call('XDEL', outbox, arg.entry)
end
local attempts = redis.call('HINCRBY', out, 'attempts', arg.attempts)
redis.call('HSET', out, 'state', arg.state, 'error', arg.error)
if not held then redis.call('ZADD', retry, now_ms() + arg.delay_ms, arg.delivery) end
return {'OK', attempts}
