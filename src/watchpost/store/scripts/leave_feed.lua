-- LEAVE_FEED: releases the host of a claimed feed that this process has not configured. The feed's lease runs out.
-- KEYS 1 source hash, 2 prefix of the host hashes   ARGV 1 name
-- returns 1 if the host was held for it
local h = KEYS[2] .. (redis.call('HGET', KEYS[1], 'host') or '')
if not leave_host(h, ARGV[1]) then return 0 end
redis.call('HDEL', h, 'next')
return 1
