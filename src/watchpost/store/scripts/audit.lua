-- AUDIT: the totals of the ledger and the contents of the queues at one instant.
-- KEYS 1 ledger, 2 articles stream, 3 open hash, 4 prefix of the buckets, 5 boxes set, 6 prefix of outbox, 7 retry zset,
--      8 zset of escalations that wait
-- ARGV 1 '1' = start the ledger if there is none: what is in the queues now is its opening balance
-- returns {{field, value, …} of the totals, articles waiting, hits waiting, deliveries waiting,
--          {field, value, …} of the fates (shared/fates.lua), {receiver, hits in its groups, …}}
local ledger, articles, open, bucket, boxes, outbox, retry, later = unpack(KEYS)
local queued, parked, out = redis.call('XLEN', articles), 0, redis.call('ZCARD', retry) + redis.call('ZCARD', later)
local parked_for, flat = {}, {}
for _, group in ipairs(redis.call('HKEYS', open)) do
  local hits, receiver = redis.call('LLEN', bucket .. group), receiver_of(group)
  parked, parked_for[receiver] = parked + hits, (parked_for[receiver] or 0) + hits
end
for receiver, hits in pairs(parked_for) do flat[#flat + 1] = receiver; flat[#flat + 1] = hits end
for _, name in ipairs(redis.call('SMEMBERS', boxes)) do out = out + redis.call('XLEN', outbox .. name) end
if ARGV[1] == '1' and redis.call('EXISTS', ledger .. 'total') == 0 then
  redis.call('HSET', ledger .. 'total', 'since', now_ms(), 'new', queued, 'parked', parked, 'queued', out)
end
if ARGV[1] == '1' then  -- an earlier version may have closed windows and sent messages before
  local was = redis.call('HMGET', ledger .. 'total', 'told', 'dead_hits', 'sent', 'dead', 'dropped')
  for i = 1, 5 do was[i] = tonumber(was[i] or '0') end
  redis.pcall('HSETNX', ledger .. 'total', 'followed', was[1] + was[2])
  redis.pcall('HSETNX', ledger .. 'total', 'ended', was[3] + was[4] + was[5])
end
return {redis.call('HGETALL', ledger .. 'total'), queued, parked, out,
  redis.call('HGETALL', ledger .. 'fates'), flat}
