-- SYNC_FEEDS: schedule every configured feed and store its host; a feed that is new is due now.
-- KEYS 1 feeds zset, 2 prefix of the source hashes, 3 meta hash
-- ARGV 1 JSON: feeds (name → host, '' = none); born (which beginning of the data the caller knows; '' = any)
-- returns how many were added; 0 if the store came back empty since, and the caller has not put back what it knows
-- It only adds: another process may have a newer configuration, and FORGET_FEED removes what no configuration names.
local arg, now, added = cjson.decode(ARGV[1]), now_ms(), 0
if arg.born ~= '' and redis.call('HGET', KEYS[3], 'born') ~= arg.born then return 0 end
for name, host in pairs(arg.feeds) do
  added = added + redis.call('ZADD', KEYS[1], 'NX', now, name)
  local source = KEYS[2] .. name
  if (redis.call('HGET', source, 'host') or '') ~= host then redis.call('HSET', source, 'host', host) end
end
return added
