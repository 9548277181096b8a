-- SYNC_FEEDS: every configured feed is scheduled, and its host known; one that was not known yet is due now.
-- KEYS 1 feeds zset, 2 prefix of the source hashes   ARGV name, host ('' = nobody's), …
-- returns how many were added
-- It only adds: another process may have a newer configuration, and what nobody knows any more is forgotten by FORGET.
local now, added = now_ms(), 0
for i = 1, #ARGV, 2 do
  added = added + redis.call('ZADD', KEYS[1], 'NX', now, ARGV[i])
  local state = KEYS[2] .. ARGV[i]
  if (redis.call('HGET', state, 'host') or '') ~= ARGV[i + 1] then redis.call('HSET', state, 'host', ARGV[i + 1]) end
end
return added
