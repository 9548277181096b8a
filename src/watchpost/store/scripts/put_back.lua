-- PUT_BACK: hits of one group, or deliveries, that a process knew when the store lost them. Each is put back once,
-- whichever processes know it.
-- KEYS 1 restored set, 2 open hash, 3 bucket list, 4 group hash, 5 hits zset, 6 ledger, 7 meta hash, 8 prefix of out,
--      9 prefix of outbox, 10 boxes set, 11 channel of new hits, 12 zset of escalations that wait
-- ARGV 1 JSON: group, opened (ms), until (ms; 0 = it is not held), marks (of each hit, a list), topics (of each
--      hit), hits_ttl_ms,
--      deliveries ({id, receiver, digest, created; of an escalation that waits story, unless, due (ms), else ''} each)
--      2… the bytes of each hit, then the message of each delivery
-- returns {hits put back, deliveries put back}
local restored, open, bucket, group, marks, ledger, meta, out, outbox, boxes, channel, later =
  unpack(KEYS)
local arg, now, last, hits, deliveries = cjson.decode(ARGV[1]), now_ms(), 1, 0, 0
local function is_first(name)
  return redis.call('SADD', restored, redis.sha1hex(name)) == 1
end
for i, of_hit in ipairs(arg.marks) do
  last = last + 1
  for _, mark in ipairs(of_hit) do redis.call('ZADD', marks, now + arg.hits_ttl_ms, mark) end
  if is_first(arg.group .. ':' .. ARGV[last]) then
    redis.call('RPUSH', bucket, ARGV[last])
    redis.call('HSETNX', open, arg.group, arg.opened)
    count_fate(ledger, receiver_of(arg.group), arg.topics[i], 'came', 1)
    count_fate(ledger, receiver_of(arg.group), arg.topics[i], 'waiting', 1)
    hits = hits + 1
  end
end
if hits > 0 and arg['until'] > 0 then redis.call('HSETNX', group, 'until', arg['until']) end
for _, delivery in ipairs(arg.deliveries) do
  last = last + 1
  if is_first(delivery.id) and redis.call('EXISTS', out .. delivery.id) == 0 then
    if delivery.unless == '' then queue_delivery(out, outbox, boxes, delivery, ARGV[last])
    else wait_for_answer(out, later, boxes, delivery, ARGV[last], delivery.due) end
    deliveries = deliveries + 1
  end
end
redis.call('EXPIRE', restored, 3600)
tally(ledger, 'parked', hits)
tally(ledger, 'queued', deliveries)
if hits > 0 then redis.call('HINCRBY', meta, 'lost_hits', hits) end
if deliveries > 0 then redis.call('HINCRBY', meta, 'lost_deliveries', deliveries) end
if hits > 0 then redis.pcall('PUBLISH', channel, '') end
return {hits, deliveries}
