-- AUDIT: the totals of the ledger and the contents of the queues at one instant.
-- KEYS 1 ledger, 2 articles stream, 3 open hash, 4 prefix of the buckets, 5 boxes set, 6 prefix of outbox, 7 retry zset
-- ARGV 1 '1' = start the ledger if there is none: what is in the queues now is its opening balance
-- returns {{field, value, …} of the totals, articles waiting, hits waiting, deliveries waiting}
local ledger, articles, open, bucket, boxes, outbox, retry = unpack(KEYS)
local queued, parked, out = redis.call('XLEN', articles), 0, redis.call('ZCARD', retry)
for _, group in ipairs(redis.call('HKEYS', open)) do parked = parked + redis.call('LLEN', bucket .. group) end
for _, name in ipairs(redis.call('SMEMBERS', boxes)) do out = out + redis.call('XLEN', outbox .. name) end
if ARGV[1] == '1' and redis.call('EXISTS', ledger .. 'total') == 0 then
  redis.call('HSET', ledger .. 'total', 'since', now_ms(), 'new', queued, 'parked', parked, 'queued', out)
end
return {redis.call('HGETALL', ledger .. 'total'), queued, parked, out}
