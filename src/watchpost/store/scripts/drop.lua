-- DROP: an operator deletes a delivery that waits, or a dead letter together with its delivery.
-- KEYS 1 outbox stream, 2 out hash, 3 retry zset, 4 dead stream, 5 counts of dead letters, 6 ledger,
--      7 prefix of contents, 8 zset of escalations that wait
-- ARGV 1 delivery id ('' = none), 2 its entry in the outbox ('' = it waits in retry), 3 id of a dead letter ('' = none)
-- returns 1 | 0 it is gone: nothing was written
if ARGV[3] ~= '' then
  if not take_letter(KEYS[4], KEYS[5], ARGV[3]) then return 0 end
  if ARGV[1] ~= '' and redis.call('HGET', KEYS[2], 'state') == 'dead' then redis.call('DEL', KEYS[2]) end
  return 1
end
local held = redis.call('HGET', KEYS[2], 'contents')
if redis.call('HGET', KEYS[2], 'state') == 'dead' or redis.call('DEL', KEYS[2]) == 0 then return 0 end
if ARGV[2] ~= '' then
  redis.call('XACK', KEYS[1], 'notify', ARGV[2])
  redis.call('XDEL', KEYS[1], ARGV[2])
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[8], ARGV[1])
tally(KEYS[6], 'dropped', 1)
tally(KEYS[6], 'ended', 1)
if held then end_delivery(KEYS[6], KEYS[7] .. held, false, now_ms()) end
return 1
