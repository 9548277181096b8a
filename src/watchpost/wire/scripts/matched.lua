-- MATCHED: one article is dealt with, whole: acknowledge it, tell copies from news, park the news for its groups.
-- KEYS 1 articles stream, 2 hits zset, 3 open hash, 4 prefix of the buckets, 5 channel of the hint, 6 ledger
-- ARGV 1 entry id, 2 ttl of hits ms, 3 number of hits, then for each hit:
--      number of fingerprints, fingerprints …, number of groups, groups …, payload, topic
-- returns {'OK', 1|0 for each hit: news or copy} | {'GONE'} somebody else dealt with it: nothing was written
local now = now_ms()
if redis.call('XACK', KEYS[1], 'match', ARGV[1]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[1])
local at, out, parked = 4, {'OK'}, 0
for _ = 1, ARGV[3] do
  local marks, news = tonumber(ARGV[at]), 1
  for i = at + 1, at + marks do
    if redis.call('ZSCORE', KEYS[2], ARGV[i]) then news = 0 end
    redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[i])
  end
  at = at + marks + 1
  local groups = tonumber(ARGV[at])
  local payload = ARGV[at + groups + 1]
  if news == 1 then
    for i = at + 1, at + groups do
      redis.call('RPUSH', KEYS[4] .. ARGV[i], payload)
      redis.call('HSETNX', KEYS[3], ARGV[i], now)
    end
    parked = parked + groups
  end
  local topic = 'topic:' .. ARGV[at + groups + 2]
  tally(KEYS[6], topic .. ':hits', 1)
  tally(KEYS[6], topic .. (news == 0 and ':copies' or groups == 0 and ':unrouted' or ':parked'), 1)
  at = at + groups + 3
  out[#out + 1] = news
end
tally(KEYS[6], 'matched', 1)
tally(KEYS[6], 'hits', tonumber(ARGV[3]))
tally(KEYS[6], 'parked', parked)
if parked > 0 then redis.call('PUBLISH', KEYS[5], '') end
return out
