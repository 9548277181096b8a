-- DUE_RETRIES: put deliveries whose next attempt is due back into their outbox.
-- KEYS 1 retry zset, 2 prefix of out, 3 prefix of outbox
-- ARGV 1 JSON: limit (how many at most); all (due or not); receiver (only its own; '' = any);
--      ids (only these, due or not; empty = any)
-- returns how many went back
local retry, out, outbox = unpack(KEYS)
local arg, now, moved = cjson.decode(ARGV[1]), now_ms(), 0
local due = {}
for _, id in ipairs(arg.ids) do if redis.call('ZSCORE', retry, id) then due[#due + 1] = id end end
if #arg.ids == 0 then
  due = redis.call('ZRANGEBYSCORE', retry, '-inf', arg.all and '+inf' or now, 'LIMIT', 0, arg.limit)
  -- No attempt is more than two days ahead: such a time was written while the clock was wrong.
  if #due == 0 and not arg.all then
    due = redis.call('ZRANGEBYSCORE', retry, now + 172800000, '+inf', 'LIMIT', 0, arg.limit)
  end
end
for _, id in ipairs(due) do
  local receiver = redis.call('HGET', out .. id, 'receiver')
  if arg.receiver == '' or arg.receiver == receiver then
    redis.call('ZREM', retry, id)
    if receiver then
      redis.call('XADD', outbox .. receiver, '*', 'd', id)
      moved = moved + 1
    end
  end
end
return moved
