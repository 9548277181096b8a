-- CLAIM_FEEDS: claim up to n feeds that are due, each with a lease and a fence token; of one host one at a time, or as
-- many as it allows.
-- KEYS 1 feeds zset, 2 prefix of the source hashes, 3 prefix of the host hashes, 4 prefix of the waiting zsets
-- ARGV 1 n, 2 lease ms, 3 ms from one request to the next on one host (0 = not limited), 4 most feeds to check,
--      5 JSON: host → {ms between its requests, how many at once}, of the hosts with a rule of their own
-- returns {{{name, fence, {field, value, …}}, …}, {name, ms until it may be due, …} of those put off,
--      1 if more may be due, ms until the next is due (-1: there is none)}
-- A claimed feed's score becomes the end of its lease, so that the feed of a dead poller becomes due again. Its host is
-- held as long, or until COMMIT. A feed whose host is busy joins the host's waiting feeds, by the time at which it became
-- due. When the host is free, the feed that has waited longest is claimed, whichever of them came. The next one comes
-- when the gap ends; the others come when their turn is expected, so that no claim checks them before.
-- A host that asked for fewer requests has gaps twice as wide.
-- The longest interval is a week, and a feed may ask to skip six days. A time further ahead was written while the clock
-- was wrong: such a feed is due, such a host is free.
local now, claimed, put_off, checked, taken = now_ms(), {}, {}, 0, {}
local n, lease, gap, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local day, rules = 86400000, cjson.decode(ARGV[5])

local function sane(text, longest)
  local at = tonumber(text or 0) or 0
  return at <= now + longest and at or 0
end

local function lend(name)
  local state = KEYS[2] .. name
  local fence = redis.call('HINCRBY', state, 'fence', 1)
  redis.call('ZADD', KEYS[1], now + lease, name)
  taken[name] = true
  claimed[#claimed + 1] = {name, tostring(fence), redis.call('HGETALL', state)}
end

-- The feed of this host that has waited longest; those that are gone, or have another host by now, do not count.
local function first(waiting, host)
  while true do
    local name = redis.call('ZRANGE', waiting, 0, 0)[1]
    if not name then return nil end
    if redis.call('ZSCORE', KEYS[1], name) and redis.call('HGET', KEYS[2] .. name, 'host') == host then return name end
    redis.call('ZREM', waiting, name)
  end
end

local function claim(name)
  if taken[name] then return end
  local host = redis.call('HGET', KEYS[2] .. name, 'host') or ''
  local rule = rules[host] or {gap, 1}
  if host == '' or rule[1] == 0 then return lend(name) end
  local h, waiting = KEYS[3] .. host, KEYS[4] .. host
  local f = redis.call('HMGET', h, 'next', 'slow')
  local free = sane(f[1], day + 3600000)
  local width = sane(f[2], 3600000) > now and 2 * rule[1] or rule[1]
  local room
  for k, at in ipairs(host_places(h, rule[2], function(text) return sane(text, lease) end)) do
    if at[1] <= now then room = room or k end
  end
  redis.call('ZADD', waiting, 'LT', math.min(tonumber(redis.call('ZSCORE', KEYS[1], name)), now), name)
  redis.call('PEXPIRE', waiting, 3 * day)
  if room and free <= now then
    local longest = first(waiting, host)
    free = now + width
    redis.call('HSET', h, place(room, 'held'), now + lease, 'next', free, place(room, 'holder'), longest)
    redis.call('PEXPIRE', h, 3 * day)
    redis.call('ZREM', waiting, longest)
    lend(longest)
    local following = first(waiting, host)
    if following then redis.call('ZADD', KEYS[1], free, following) end
    if longest == name then return end
  end
  local rank = redis.call('ZRANK', waiting, name)
  local at = math.max(free, now + math.ceil(width / 4)) + rank * width
  redis.call('ZADD', KEYS[1], at, name)
  put_off[#put_off + 1] = name
  put_off[#put_off + 1] = at - now
end

while #claimed < n and checked < most do
  local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, n - #claimed)
  if #due == 0 then due = redis.call('ZRANGEBYSCORE', KEYS[1], now + 16 * day, '+inf', 'LIMIT', 0, n - #claimed) end
  if #due == 0 then break end
  checked = checked + #due
  for _, name in ipairs(due) do claim(name) end
end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
local wait = following and math.max(0, math.ceil(tonumber(following) - now)) or -1
return {claimed, put_off, (#claimed >= n or checked >= most) and 1 or 0, wait}
