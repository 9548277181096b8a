-- DUE_RETRIES: deliveries whose time has come go back into their outbox.
-- KEYS 1 retry zset, 2 prefix of out, 3 prefix of outbox   ARGV 1 n, 2 '1' = all of them, due or not
-- returns how many went back
local till, moved = ARGV[2] == '1' and '+inf' or now_ms(), 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', till, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', KEYS[1], id)
  local receiver = redis.call('HGET', KEYS[2] .. id, 'receiver')
  if receiver then
    redis.call('XADD', KEYS[3] .. receiver, '*', 'd', id)
    moved = moved + 1
  end
end
return moved
