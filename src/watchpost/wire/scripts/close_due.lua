-- CLOSE_DUE: one window of one group ends, whole: the hits that its digest tells leave the bucket, the frozen
-- deliveries enter the outbox.
-- KEYS 1 bucket list, 2 open hash, 3 group hash, 4 prefix of out, 5 prefix of outbox, 6 boxes set,
--      7 prefix of what the group was told, 8 ledger
-- ARGV 1 group, 2 turn (as seen when the hits were read), 3 window end ms, 4 number of hits taken
--      5 number of deliveries, then for each: id, receiver, digest, created, message
--      then ttl of notes ms, number of notes, for each: story, note
-- returns {'OK'} | {'CLOSED'} another notifier was first: nothing was written
-- Hits parked after the reading stay: only the first ARGV[4] leave, and they are the ones that were read,
-- because the turn says that nobody else took any since.
local now = now_ms()
if (redis.call('HGET', KEYS[3], 'turn') or '0') ~= ARGV[2] then return {'CLOSED'} end
redis.call('LTRIM', KEYS[1], ARGV[4], -1)  -- first: a server without memory refuses what begins by growing
redis.call('HINCRBY', KEYS[3], 'turn', 1)
redis.call('HSET', KEYS[3], 'closed', ARGV[3])
if redis.call('LLEN', KEYS[1]) > 0 then redis.call('HSET', KEYS[2], ARGV[1], now)
else redis.call('HDEL', KEYS[2], ARGV[1]) end
local at = 6
for _ = 1, ARGV[5] do
  redis.call('HSET', KEYS[4] .. ARGV[at], 'receiver', ARGV[at + 1], 'digest', ARGV[at + 2], 'created', ARGV[at + 3],
    'message', ARGV[at + 4], 'attempts', 0, 'state', 'queued')
  redis.call('SADD', KEYS[6], ARGV[at + 1])
  redis.call('XADD', KEYS[5] .. ARGV[at + 1], '*', 'd', ARGV[at])
  at = at + 5
end
for i = at + 2, at + 2 * ARGV[at + 1], 2 do redis.call('SET', KEYS[7] .. ARGV[i], ARGV[i + 1], 'PX', ARGV[at]) end
tally(KEYS[8], 'told', tonumber(ARGV[4]))
tally(KEYS[8], 'queued', tonumber(ARGV[5]))
if tonumber(ARGV[5]) > 0 then redis.call('HSET', KEYS[3], 'told', ARGV[3]) end
return {'OK'}
