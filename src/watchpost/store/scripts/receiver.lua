-- RECEIVER: store a receiver's state and, in the same step, the messages that report it.
-- KEYS 1 receiver hash, 2 prefix of out, 3 prefix of outbox, 4 boxes set, 5 ledger
-- ARGV 1 JSON: version (that the decision is based on; '' = any); fields (field → value, '' deletes it);
--      deliveries ({id, receiver, digest, created} each)
--      2… the message of each delivery
-- returns {'OK'} | {'STALE'} the state has changed since that version: nothing was written
local receiver, out, outbox, boxes, ledger = unpack(KEYS)
local arg = cjson.decode(ARGV[1])
if arg.version ~= '' and (redis.call('HGET', receiver, 'version') or '0') ~= arg.version then return {'STALE'} end
redis.call('HDEL', receiver, 'trial')  -- first: a full server refuses a script whose first write needs memory
redis.call('HINCRBY', receiver, 'version', 1)
for field, value in pairs(arg.fields) do
  if value == '' then redis.call('HDEL', receiver, field) else redis.call('HSET', receiver, field, value) end
end
for i, delivery in ipairs(arg.deliveries) do queue_delivery(out, outbox, boxes, delivery, ARGV[i + 1]) end
tally(ledger, 'queued', #arg.deliveries)
return {'OK'}
