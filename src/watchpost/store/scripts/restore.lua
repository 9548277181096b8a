-- RESTORE: a store that came back empty gets its identity back, and what outlives it on disk. One process does it.
-- KEYS 1 meta hash, 2 ledger, 3 articles stream, 4 open hash, 5 prefix of the buckets, 6 boxes set, 7 prefix of outbox,
--      8 retry zset, 9 unsubscribed hash, 10 silences hash, 11 zset of escalations that wait
-- ARGV 1 JSON: meta, unsubscribed, silences (a list field, value, … each); lost ('1' = something was lost)
-- returns 1 if this call restored it, else 0; fields that are missing are added in both cases
-- The ledger is opened again: what came in before the loss cannot be accounted for any more.
local meta, ledger, articles, open, bucket, boxes, outbox, retry, unsubscribed, silences, later =
  unpack(KEYS)
local arg, now = cjson.decode(ARGV[1]), now_ms()
local restores = redis.call('HEXISTS', meta, 'install') == 0
local function add(key, fields)
  for i = 1, #fields, 2 do redis.call('HSETNX', key, fields[i], fields[i + 1]) end
end
add(meta, arg.meta)
add(unsubscribed, arg.unsubscribed)
add(silences, arg.silences)
if not restores or arg.lost ~= '1' then return 0 end
local parked, out = 0, redis.call('ZCARD', retry) + redis.call('ZCARD', later)
for _, group in ipairs(redis.call('HKEYS', open)) do parked = parked + redis.call('LLEN', bucket .. group) end
for _, name in ipairs(redis.call('SMEMBERS', boxes)) do out = out + redis.call('XLEN', outbox .. name) end
redis.call('DEL', ledger .. 'total', ledger .. 'fates')
redis.call('HSET', ledger .. 'total', 'since', now, 'new', redis.call('XLEN', articles), 'parked', parked, 'queued', out)
redis.call('HSET', meta, 'lost_at', now)
tally(ledger, 'store_lost', 1)
return 1
