-- TAKE_HOST: claim a host for one request beside the visits to its feeds, such as an article's page.
-- KEYS 1 host hash   ARGV 1 holder, 2 feed that it belongs to, 3 ms from one request to the next, 4 ms to hold it,
--      5 how many requests at once
-- returns 0: the host is claimed; else in how many ms to try again
-- The visit to the feed itself may hold the host: it waits for this very request. Slots and widths: see CLAIM_FEEDS.
local now, h, gap = now_ms(), KEYS[1], tonumber(ARGV[3])
local f = redis.call('HMGET', h, 'next', 'slow')

local function sane(text, longest)
  local at = tonumber(text or 0) or 0
  return at <= now + longest and at or 0
end

local free = sane(f[1], 86400000 + 3600000)
local width = sane(f[2], 3600000) > now and 2 * gap or gap
local own, room, soonest = false, nil, math.huge
for k, at in ipairs(host_places(h, tonumber(ARGV[5]), function(text) return sane(text, 86400000) end)) do
  own = own or (at[2] == ARGV[2] and at[1] > now)
  if at[1] <= now or at[2] == ARGV[1] then room = room or k end
  soonest = math.min(soonest, at[1])
end
if not own and not room then return math.max(1, math.min(soonest - now, width)) end
if free > now then return free - now end
redis.call('HSET', h, 'next', now + width)
if not own then redis.call('HSET', h, place(room, 'held'), now + ARGV[4], place(room, 'holder'), ARGV[1]) end
redis.call('PEXPIRE', h, 259200000)
return 0
