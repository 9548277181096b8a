-- PRUNE: forget ids that are past their time, at most n of each key, the oldest first.
-- KEYS 1 meta hash, 2 heads hash, 3 the zset whose ids have heads, then more zsets of id → forget-after ms   ARGV 1 n
-- returns how many were forgotten
-- A clock that jumped a day ahead must not make the service forget everything at once: then only the time is stored.
-- Deletions come first: a full server refuses a script whose first write needs memory.
local now = now_ms()
local last = tonumber(redis.call('HGET', KEYS[1], 'last_prune') or now)
local forgotten = 0
if now - last <= 86400000 then
  for i = 3, #KEYS do
    local old = redis.call('ZRANGEBYSCORE', KEYS[i], '-inf', now, 'LIMIT', 0, ARGV[1])
    if #old > 0 then
      if i == 3 then redis.call('HDEL', KEYS[2], unpack(old)) end
      forgotten = forgotten + redis.call('ZREM', KEYS[i], unpack(old))
    end
  end
end
redis.call('HSET', KEYS[1], 'last_prune', now)
return forgotten
