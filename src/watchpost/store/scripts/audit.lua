-- AUDIT: the books and what lies in the queues, at one instant.
-- KEYS 1 ledger, 2 articles stream, 3 open hash, 4 prefix of the buckets, 5 boxes set, 6 prefix of outbox, 7 retry zset
-- ARGV 1 '1' = open the books if there are none: what lies there now is the opening balance
-- returns {{field, value, …} of the totals, articles waiting, hits parked, deliveries on their way}
local articles, parked, out = redis.call('XLEN', KEYS[2]), 0, redis.call('ZCARD', KEYS[7])
for _, group in ipairs(redis.call('HKEYS', KEYS[3])) do parked = parked + redis.call('LLEN', KEYS[4] .. group) end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[5])) do out = out + redis.call('XLEN', KEYS[6] .. name) end
if ARGV[1] == '1' and redis.call('EXISTS', KEYS[1] .. 'total') == 0 then
  redis.call('HSET', KEYS[1] .. 'total', 'since', now_ms(),
    'new', articles, 'parked', parked, 'queued', out)
end
return {redis.call('HGETALL', KEYS[1] .. 'total'), articles, parked, out}
