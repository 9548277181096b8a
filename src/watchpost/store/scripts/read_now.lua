-- READ_NOW: an operator makes a feed due now. CLAIM_FEEDS still waits for its host's turn.
-- KEYS 1 feeds zset   ARGV 1 feed, 2 lease ms
-- returns 'NOW' it is due now | 'SOON' it is read now or within a lease: nothing was written | 'NONE' not scheduled
local due = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not due then return 'NONE' end
local now = now_ms()
if tonumber(due) <= now + ARGV[2] then return 'SOON' end
redis.call('ZADD', KEYS[1], 'XX', now, ARGV[1])
return 'NOW'
