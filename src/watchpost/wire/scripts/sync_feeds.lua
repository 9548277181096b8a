-- SYNC_FEEDS: every configured feed is scheduled; one that was not known yet is due now.
-- KEYS 1 feeds zset   ARGV names
-- returns how many were added
-- It only adds: another process may have a newer configuration, and what nobody knows any more is forgotten by FORGET.
local now, added = now_ms(), 0
for _, name in ipairs(ARGV) do added = added + redis.call('ZADD', KEYS[1], 'NX', now, name) end
return added
