-- SYNC_FEEDS: schedule every configured feed and store its host; a feed that is new is due now.
-- KEYS 1 feeds zset, 2 prefix of the source hashes   ARGV 1 JSON: feeds (name → host, '' = none)
-- returns how many were added
-- It only adds: another process may have a newer configuration, and FORGET_FEED removes what no configuration names.
local now, added = now_ms(), 0
for name, host in pairs(cjson.decode(ARGV[1]).feeds) do
  added = added + redis.call('ZADD', KEYS[1], 'NX', now, name)
  local source = KEYS[2] .. name
  if (redis.call('HGET', source, 'host') or '') ~= host then redis.call('HSET', source, 'host', host) end
end
return added
