-- CLOSE_DUE: one window of one group ends, whole: the hits that its digest tells leave the bucket, those that it holds
-- back go into a bucket of their own until their time, the frozen deliveries enter the outbox.
-- KEYS 1 bucket list, 2 open hash, 3 group hash, 4 prefix of out, 5 prefix of outbox, 6 boxes set,
--      7 prefix of what the group was told, 8 ledger, 9 bucket and 10 group hash of what is held, 11 hash of the
--      group that it is held for (KEYS[3] if that is this one), 12 its over hash, 13 prefix of its receiver's quota,
--      14 dead stream, 15 numbers of dead letters
-- ARGV 1 group, 2 turn (as seen when the hits were read), 3 window end ms, 4 number of hits taken
--      5 number of deliveries, then for each: id, receiver, digest, created, message
--      then ttl of notes ms, number of notes, for each: story, note
--      then group of the held, ms until then, number of held hits, their payloads
--      then number of silenced hits, name of the configuration; then number of topics of which hits beyond the limit are told, for each: topic, count
--      then number of hits that nobody can read, for each: why, its bytes
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
at = at + 2 + 2 * ARGV[at + 1]
local held = tonumber(ARGV[at + 2])
if held > 0 then
  local till, before = tonumber(ARGV[at + 1]), tonumber(redis.call('HGET', KEYS[10], 'until') or '0')
  if redis.call('LLEN', KEYS[9]) > 0 and before < till then till = before end
  for i = at + 3, at + 2 + held do redis.call('RPUSH', KEYS[9], ARGV[i]) end
  redis.call('HSET', KEYS[10], 'until', till)
  redis.call('HSETNX', KEYS[2], ARGV[at], now)
end
at = at + 3 + held
local silenced = tonumber(ARGV[at])
at = at + 1
for i = at + 2, at + 2 * ARGV[at + 1], 2 do
  if redis.call('HINCRBY', KEYS[12], ARGV[i], -ARGV[i + 1]) <= 0 then redis.call('HDEL', KEYS[12], ARGV[i]) end
end
if tonumber(ARGV[at + 1]) > 0 then
  if redis.call('HLEN', KEYS[12]) == 1 then redis.call('DEL', KEYS[12]) else redis.call('HSET', KEYS[12], '', now) end
end
local damaged = at + 2 + 2 * ARGV[at + 1]
for i = damaged + 1, damaged + 2 * ARGV[damaged], 2 do
  add_letter(KEYS[14], KEYS[15], {'kind', 'hit', 'reason', 'codec', 'detail', ARGV[i], 'payload', ARGV[i + 1], 'group', ARGV[1]})
end
tally(KEYS[8], 'dead_hits', tonumber(ARGV[damaged]))
tally(KEYS[8], 'told', tonumber(ARGV[4]) - held - ARGV[damaged])
tally(KEYS[8], 'silenced', silenced)
tally(KEYS[8], 'queued', tonumber(ARGV[5]))
if tonumber(ARGV[5]) > 0 then
  redis.call('HSET', KEYS[11], 'told', ARGV[3], 'plan', ARGV[at])
  redis.call('HDEL', KEYS[11], 'silenced')
  local hour = KEYS[13] .. math.floor(now / 3600000)
  redis.call('INCR', hour)
  redis.call('PEXPIRE', hour, 7200000)
elseif silenced > 0 then redis.call('HINCRBY', KEYS[11], 'silenced', silenced) end
return {'OK'}
