-- TAKE_HOST: claim a host for one request beside the visits to its feeds, such as an article's page.
-- KEYS 1 host hash   ARGV 1 holder, 2 feed that it belongs to, 3 ms from one request to the next, 4 ms to hold it
-- returns 0: the host is claimed; else in how many ms to try again
-- The visit to the feed itself may hold the host: it waits for this very request. Slots and widths: see CLAIM_FEEDS.
local now, h, gap = now_ms(), KEYS[1], tonumber(ARGV[3])
local f = redis.call('HMGET', h, 'held', 'next', 'slow', 'holder')

local function sane(text, longest)
  local at = tonumber(text or 0) or 0
  return at <= now + longest and at or 0
end

local held, free = sane(f[1], 86400000), sane(f[2], 86400000 + 3600000)
local width = sane(f[3], 3600000) > now and 2 * gap or gap
local own = f[4] == ARGV[2]
if held > now and not own and f[4] ~= ARGV[1] then return math.max(1, math.min(held - now, width)) end
if free > now then return free - now end
redis.call('HSET', h, 'next', now + width)
if not own or held <= now then redis.call('HSET', h, 'held', now + ARGV[4], 'holder', ARGV[1]) end
redis.call('PEXPIRE', h, 259200000)
return 0
