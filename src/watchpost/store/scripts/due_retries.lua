-- DUE_RETRIES: deliveries whose time has come go back into their outbox.
-- KEYS 1 retry zset, 2 prefix of out, 3 prefix of outbox   ARGV 1 n, 2 '1' = all of them, due or not, 3 only this receiver's ('' = anybody's)
-- ARGV 4… only those of these ids, due or not, if any are given
-- returns how many went back
local till, moved = ARGV[2] == '1' and '+inf' or now_ms(), 0
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', till, 'LIMIT', 0, ARGV[1])
-- Nobody waits longer than two days: such a time was written while the clock was wrong.
if #due == 0 and till ~= '+inf' then due = redis.call('ZRANGEBYSCORE', KEYS[1], till + 172800000, '+inf', 'LIMIT', 0, ARGV[1]) end
if ARGV[4] then
  due = {}
  for i = 4, #ARGV do if redis.call('ZSCORE', KEYS[1], ARGV[i]) then due[#due + 1] = ARGV[i] end end
end
for _, id in ipairs(due) do
  local receiver = redis.call('HGET', KEYS[2] .. id, 'receiver')
  if ARGV[3] == '' or ARGV[3] == receiver then
    redis.call('ZREM', KEYS[1], id)
    if receiver then
      redis.call('XADD', KEYS[3] .. receiver, '*', 'd', id)
      moved = moved + 1
    end
  end
end
return moved
