-- ESCALATE: what waits for an answer and is due enters its outbox, or is dropped if the story was answered meanwhile.
-- KEYS 1 zset of escalations that wait, 2 prefix of out, 3 prefix of outbox, 4 prefix of the handling of stories,
--      5 ledger, 6 sent zset
-- ARGV 1 JSON: limit (how many at most); kept_ms (how long the id of one that is dropped is remembered)
-- returns {how many were queued, how many were dropped}
local later, out, outbox, handling, ledger, sent = unpack(KEYS)
local arg, now, queued, dropped = cjson.decode(ARGV[1]), now_ms(), 0, 0
local due = redis.call('ZRANGEBYSCORE', later, '-inf', now, 'LIMIT', 0, arg.limit)
if #due == 0 then  -- an escalation waits a day at most: such a time was written while the clock was wrong
  due = redis.call('ZRANGEBYSCORE', later, now + 172800000, '+inf', 'LIMIT', 0, arg.limit)
end
for _, id in ipairs(due) do
  redis.call('ZREM', later, id)
  local receiver, story, unless = unpack(redis.call('HMGET', out .. id, 'receiver', 'story', 'unless'))
  if receiver and redis.call('HEXISTS', handling .. story, unless) == 1 then
    redis.call('DEL', out .. id)
    redis.call('ZADD', sent, now + arg.kept_ms, id)
    tally(ledger, 'dropped', 1)
    tally(ledger, 'ended', 1)
    dropped = dropped + 1
  elseif receiver then
    redis.call('HSET', out .. id, 'state', 'queued')
    redis.call('XADD', outbox .. receiver, '*', 'd', id)
    queued = queued + 1
  end
end
return {queued, dropped}
