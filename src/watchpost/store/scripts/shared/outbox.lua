-- Prefixed to the scripts that queue deliveries. `out` and `outbox` are prefixes of keys, `boxes` a set.
-- delivery: {id, receiver, digest, created, contents ('' for none)}; message: its frozen bytes.
local function queue_delivery(out, outbox, boxes, delivery, message)
  redis.call('HSET', out .. delivery.id, 'receiver', delivery.receiver, 'digest', delivery.digest,
    'created', delivery.created, 'message', message, 'attempts', 0, 'state', 'queued')
  if delivery.contents and delivery.contents ~= '' then
    redis.call('HSET', out .. delivery.id, 'contents', delivery.contents)
  end
  redis.call('SADD', boxes, delivery.receiver)
  redis.call('XADD', outbox .. delivery.receiver, '*', 'd', delivery.id)
end
-- An escalation: a delivery that is due at a set time, and is dropped if its story has the handling `unless` by then.
local function wait_for_answer(out, later, boxes, delivery, message, due)
  redis.call('HSET', out .. delivery.id, 'receiver', delivery.receiver, 'digest', delivery.digest,
    'created', delivery.created, 'message', message, 'attempts', 0, 'state', 'escalation', 'story', delivery.story,
    'unless', delivery.unless, 'due', due)
  redis.call('SADD', boxes, delivery.receiver)
  redis.call('ZADD', later, due, delivery.id)
end
