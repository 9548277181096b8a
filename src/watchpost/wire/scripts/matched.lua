-- MATCHED: one article is dealt with, whole: acknowledge it, find its story, tell the very same from news, park the
-- news for its groups.
-- KEYS 1 articles stream, 2 hits zset, 3 open hash, 4 prefix of the buckets, 5 channel of the hint,
--      6 prefix of the index of stories, 7 prefix of the stories, 8 ledger, 9 history stream,
--      10 stream of retained articles
-- ARGV 1 entry id, 2 ttl of hits ms, 3 window of stories ms, 4 number of hits,
--      5 fields of a signature: 0, or 12 and these: article, story, title, outlet, voice, credited, day, whole, series,
--      numbers, figures, sketch; then the number of exact keys, exact keys …
--      then for each hit: number of marks, marks …, number of groups, groups …, payload, topic;
--      the last two: how many articles are retained (0: none), how long hits stay in the history, ms
-- returns {'OK', story, voice, 1|0 for each hit: news or known} | {'GONE'} another dealt with it: nothing was written
-- A hit is parked with its story before it: 's1', story (32), length of the voice (4), voice, payload.
local now = now_ms()
if redis.call('XACK', KEYS[1], 'match', ARGV[1]) == 0 then return {'GONE'} end
local retained = tonumber(ARGV[#ARGV - 1])
if retained > 0 then
  local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
  -- its fields are {'a', article}; a very large one is not worth its room
  if entry and #entry[2][2] <= 32768 then
    redis.call('XADD', KEYS[10], 'MAXLEN', '~', retained, '*', 'a', entry[2][2])
  end
end
redis.call('XDEL', KEYS[1], ARGV[1])
local at, story, voice, before = 6, '', '', ''
if ARGV[5] ~= '0' then
  local sig = { article = ARGV[6], story = ARGV[7], title = ARGV[8], outlet = ARGV[9], voice = ARGV[10],
    credited = ARGV[11] == '1', day = tonumber(ARGV[12]), whole = ARGV[13] == '1', series = ARGV[14],
    numbers = ARGV[15], figures = ARGV[16], sketch = ARGV[17] }
  local exact = {}
  for i = 19, 18 + ARGV[18] do exact[#exact + 1] = ARGV[i] end
  at = 19 + #exact
  story, voice = decide(KEYS[6], KEYS[7], now, tonumber(ARGV[3]), sig, exact)
  before = 's1' .. story .. string.format('%04d', #voice) .. voice
end
-- What people look for later; bounded in number too, so that a flood of hits cannot fill the store.
local function remember(hit, topic)
  redis.call('XADD', KEYS[9], 'MINID', '~', string.format('%d-0', now - ARGV[#ARGV]), '*', 't', topic, 'h', hit)
  if redis.call('XLEN', KEYS[9]) > 110000 then redis.call('XTRIM', KEYS[9], 'MAXLEN', '~', 100000) end
end
local out, parked = {'OK', story, voice}, 0
for _ = 1, ARGV[4] do
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
      redis.call('RPUSH', KEYS[4] .. ARGV[i], before .. payload)
      redis.call('HSETNX', KEYS[3], ARGV[i], now)
    end
    parked = parked + groups
    remember(before .. payload, ARGV[at + groups + 2])
  end
  local topic = 'topic:' .. ARGV[at + groups + 2]
  tally(KEYS[8], topic .. ':hits', 1)
  tally(KEYS[8], topic .. (news == 0 and ':copies' or groups == 0 and ':unrouted' or ':parked'), 1)
  at = at + groups + 3
  out[#out + 1] = news
end
tally(KEYS[8], 'matched', 1)
tally(KEYS[8], 'hits', tonumber(ARGV[4]))
tally(KEYS[8], 'parked', parked)
if parked > 0 then redis.call('PUBLISH', KEYS[5], '') end
return out
