-- MATCHED: one article is dealt with, whole: acknowledge it, find its story, tell the very same from news, park the
-- news for its groups.
-- KEYS 1 articles stream, 2 hits zset, 3 open hash, 4 prefix of the buckets, 5 channel of the hint,
--      6 prefix of the index of stories, 7 prefix of the stories, 8 ledger, 9 history stream,
--      10 stream of retained articles, 11 prefix of the counts, 12 prefix of over, 13 prefix of the open stories
-- ARGV 1 entry id, 2 ttl of hits ms, 3 window of stories ms, 4 number of hits,
--      5 how many of a topic are parked in an hour (0: all),
--      6 fields of a signature: 0, or 16 and these: article, story, title, outlet, voice, credited, day, whole, series,
--      numbers, figures, sketch, size, headline, lead, opening; then the number of exact keys, exact keys …
--      then for each hit: number of marks, marks …, number of groups, groups …, payload, topic;
--      the last two: how many articles are retained (0: none), how long hits stay in the history, ms
-- returns {'OK', story, voice, for each hit 0: it is news, or which of its marks was known} | {'GONE'} another dealt
-- with it: nothing was written
-- What is beyond the limit is counted for each of its groups instead of parked.
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
local at, story, voice, before = 7, '', '', ''
if ARGV[6] ~= '0' then
  local sig = { article = ARGV[7], story = ARGV[8], title = ARGV[9], outlet = ARGV[10], voice = ARGV[11],
    credited = ARGV[12] == '1', day = tonumber(ARGV[13]), whole = ARGV[14] == '1', series = ARGV[15],
    numbers = ARGV[16], figures = ARGV[17], sketch = ARGV[18], size = tonumber(ARGV[19]), headline = ARGV[20],
    lead = ARGV[21], opening = ARGV[22] }
  local exact = {}
  for i = 24, 23 + ARGV[23] do exact[#exact + 1] = ARGV[i] end
  at = 24 + #exact
  story, voice = decide(KEYS[6], KEYS[7], now, tonumber(ARGV[3]), sig, exact)
  before = 's1' .. story .. string.format('%04d', #voice) .. voice
end
-- What people look for later; bounded in number too, so that a flood of hits cannot fill the store.
local function remember(hit, topic)
  redis.call('XADD', KEYS[9], 'MINID', '~', string.format('%d-0', now - ARGV[#ARGV]), '*', 't', topic, 'h', hit)
  if redis.call('XLEN', KEYS[9]) > 110000 then redis.call('XTRIM', KEYS[9], 'MAXLEN', '~', 100000) end
end
-- A topic's stories that a further report may still join, for whoever counts them; bounded as the history is.
local function keep_open(topic, name)
  local open, window = KEYS[13] .. topic, tonumber(ARGV[3])
  redis.call('ZADD', open, now + window, name)
  redis.call('ZREMRANGEBYSCORE', open, '-inf', now)
  redis.call('ZREMRANGEBYRANK', open, 0, -10001)
  redis.call('PEXPIRE', open, window)
end
local out, parked = {'OK', story, voice}, 0
for _ = 1, ARGV[4] do
  local first, marks, known = ARGV[at + 1], tonumber(ARGV[at]), 0
  for i = at + 1, at + marks do
    if known == 0 and redis.call('ZSCORE', KEYS[2], ARGV[i]) then known = i - at end
    redis.call('ZADD', KEYS[2], now + ARGV[2], ARGV[i])
  end
  at = at + marks + 1
  local groups = tonumber(ARGV[at])
  local payload = ARGV[at + groups + 1]
  local name, over = ARGV[at + groups + 2], false
  if known == 0 then
    local day = KEYS[11] .. name .. ':' .. math.floor(now / 86400000)
    local count = redis.call('HINCRBY', day, math.floor(now / 3600000) % 24, 1)
    if count == 1 then redis.call('EXPIRE', day, 3110400) end
    over = ARGV[5] ~= '0' and count > tonumber(ARGV[5])
    for i = at + 1, at + groups do
      if over then
        redis.call('HINCRBY', KEYS[12] .. ARGV[i], name, 1)
        redis.call('HSETNX', KEYS[12] .. ARGV[i], '', now)
      else
        redis.call('RPUSH', KEYS[4] .. ARGV[i], before .. payload)
        redis.call('HSETNX', KEYS[3], ARGV[i], now)
      end
    end
    if not over then parked = parked + groups end
    remember(before .. payload, name)
    keep_open(name, story ~= '' and story or first)
  end
  local topic = 'topic:' .. name
  tally(KEYS[8], topic .. ':hits', 1)
  tally(KEYS[8], topic .. (known > 0 and ':copies' or groups == 0 and ':unrouted' or over and ':over' or ':parked'), 1)
  at = at + groups + 3
  out[#out + 1] = known
end
tally(KEYS[8], 'matched', 1)
tally(KEYS[8], 'hits', tonumber(ARGV[4]))
tally(KEYS[8], 'parked', parked)
if parked > 0 then redis.call('PUBLISH', KEYS[5], '') end
return out
