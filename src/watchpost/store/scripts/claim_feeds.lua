-- CLAIM_FEEDS: claim up to n feeds that are due, each with a lease and a fence token, never two of one host at once.
-- KEYS 1 feeds zset, 2 prefix of the source hashes, 3 prefix of the host hashes
-- ARGV 1 n, 2 lease ms, 3 ms from one request to the next on one host (0 = not limited), 4 most feeds to check
-- returns {{{name, fence, {field, value, …}}, …}, {name, ms until it may be due, …} of those put off,
--      1 if more may be due}
-- A claimed feed's score becomes the end of its lease, so that the feed of a dead poller becomes due again. Its host is
-- held as long, or until COMMIT. A feed whose host is busy gets the host's next free slot as its due time: it keeps its
-- place in the queue, and no claim checks it before. A host that asked for fewer requests has slots twice as wide.
-- The longest interval is a week, and a feed may ask to skip six days. A time further ahead was written while the clock
-- was wrong: such a feed is due, such a host is free.
local now, claimed, put_off, checked = now_ms(), {}, {}, 0
local n, lease, gap, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local day = 86400000

local function sane(text, longest)
  local at = tonumber(text or 0) or 0
  return at <= now + longest and at or 0
end

local function claim(name)
  local state = KEYS[2] .. name
  local host = gap > 0 and redis.call('HGET', state, 'host')
  if host and host ~= '' then
    local h = KEYS[3] .. host
    local f = redis.call('HMGET', h, 'held', 'next', 'slot', 'slow')
    local held, free, slot = sane(f[1], lease), sane(f[2], day + 3600000), sane(f[3], 2 * day)
    local width = sane(f[4], 3600000) > now and 2 * gap or gap
    if held > now or free > now then
      local at = math.max(slot, free, now + 1)
      if held > now then at = math.max(at, now + width) end
      redis.call('ZADD', KEYS[1], at, name)
      redis.call('HSET', h, 'slot', at + width)
      redis.call('PEXPIRE', h, 3 * day)
      put_off[#put_off + 1] = name
      put_off[#put_off + 1] = at - now
      return
    end
    redis.call('HSET', h, 'held', now + lease, 'next', now + width, 'holder', name)
    redis.call('PEXPIRE', h, 3 * day)
  end
  local fence = redis.call('HINCRBY', state, 'fence', 1)
  redis.call('ZADD', KEYS[1], now + lease, name)
  claimed[#claimed + 1] = {name, tostring(fence), redis.call('HGETALL', state)}
end

while #claimed < n and checked < most do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, n - #claimed)
  if #due == 0 then due = redis.call('ZRANGEBYSCORE', KEYS[1], now + 16 * day, '+inf', 'LIMIT', 0, n - #claimed) end
  if #due == 0 then break end
  checked = checked + #due
  for _, name in ipairs(due) do claim(name) end
end
return {claimed, put_off, (#claimed >= n or checked >= most) and 1 or 0}
