-- SYNC_FEEDS: the configured feeds are the scheduled feeds. New ones are due now; removed ones are forgotten.
-- KEYS 1 feeds zset, 2 prefix of the source hashes   ARGV names
-- returns {added, removed}
local now, wanted, added, removed = now_ms(), {}, 0, 0
for _, name in ipairs(ARGV) do
  wanted[name] = true
  added = added + redis.call('ZADD', KEYS[1], 'NX', now, name)
end
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if not wanted[name] then
    redis.call('ZREM', KEYS[1], name)
    redis.call('DEL', KEYS[2] .. name)
    removed = removed + 1
  end
end
return {added, removed}
