-- RECEIVER: how a receiver fares from now on; and, in the same step, the message that tells somebody of it.
-- KEYS 1 receiver hash, 2 prefix of out, 3 prefix of outbox, 4 boxes set, 5 ledger
-- ARGV 1 version that the decision was made on ('' = whatever it is), 2 number of fields, then field, value …
--      ('' deletes), then number of deliveries, then for each: id, receiver, digest, created, message
-- returns {'OK'} | {'STALE'} somebody else wrote meanwhile: nothing was written, look again
if ARGV[1] ~= '' and (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[1] then return {'STALE'} end
redis.call('HDEL', KEYS[1], 'trial')  -- first: a server without memory refuses what begins by growing
redis.call('HINCRBY', KEYS[1], 'version', 1)
local at = 3
for _ = 1, ARGV[2] do
  if ARGV[at + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[at])
  else redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
  at = at + 2
end
local count = tonumber(ARGV[at])
at = at + 1
for _ = 1, count do
  redis.call('HSET', KEYS[2] .. ARGV[at], 'receiver', ARGV[at + 1], 'digest', ARGV[at + 2], 'created', ARGV[at + 3],
    'message', ARGV[at + 4], 'attempts', 0, 'state', 'queued')
  redis.call('SADD', KEYS[4], ARGV[at + 1])
  redis.call('XADD', KEYS[3] .. ARGV[at + 1], '*', 'd', ARGV[at])
  at = at + 5
end
tally(KEYS[5], 'queued', count)
return {'OK'}
