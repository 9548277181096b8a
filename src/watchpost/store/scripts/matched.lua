-- MATCHED: one article has been matched, whole: acknowledge it, find its story, tell duplicates from news, add the news
-- to its groups.
-- KEYS 1 articles stream, 2 hits zset, 3 open hash, 4 prefix of the buckets, 5 channel of new hits,
--      6 prefix of the index of stories, 7 prefix of the stories, 8 ledger, 9 history stream,
--      10 stream of retained articles, 11 prefix of the counts, 12 prefix of over, 13 prefix of the open stories
-- ARGV 1 JSON: entry (its id); hits_ttl_ms; window_ms (of stories); history_ms (how long hits stay in the history);
--      retained (how many articles are retained; 0: none); per_hour (hits of a topic that are added in an hour; 0: all);
--      signature (see shared/stories.lua; missing: every hit is a story of its own);
--      hits ({topic, marks, groups} each)
--      2… the bytes of each hit
-- returns {'OK', story, voice, for each hit 0: it is news, or which of its marks was known}
--      | {'GONE'} another matcher had the article: nothing was written
-- Hits beyond the limit of an hour are counted for each of their groups instead of added.
-- A hit is stored with its story in front: 's1', story (32), length of the voice (4), voice, bytes.
local articles, marks, open, bucket, channel, index, story_prefix, ledger, history, retained, count, over_prefix,
  open_stories = unpack(KEYS)
local arg, now = cjson.decode(ARGV[1]), now_ms()
if redis.call('XACK', articles, 'match', arg.entry) == 0 then return {'GONE'} end
if arg.retained > 0 then
  local entry = redis.call('XRANGE', articles, arg.entry, arg.entry)[1]
  -- its fields are {'a', article}; a very large one is not retained
  if entry and #entry[2][2] <= 32768 then
    redis.call('XADD', retained, 'MAXLEN', '~', arg.retained, '*', 'a', entry[2][2])
  end
end
redis.call('XDEL', articles, arg.entry)
local story, voice, before = '', '', ''
if arg.signature then
  story, voice = decide(index, story_prefix, now, arg.window_ms, arg.signature)
  before = 's1' .. story .. string.format('%04d', #voice) .. voice
end
-- Bounded in number, too, so that a flood of hits cannot fill the store.
local function remember(hit, topic)
  local oldest = string.format('%d-0', now - arg.history_ms)
  redis.call('XADD', history, 'MINID', '~', oldest, '*', 't', topic, 'h', hit)
  if redis.call('XLEN', history) > 110000 then redis.call('XTRIM', history, 'MAXLEN', '~', 100000) end
end
-- The topic's stories that a further report may still join; bounded as the history is.
local function keep_open(topic, name)
  local stories = open_stories .. topic
  redis.call('ZADD', stories, now + arg.window_ms, name)
  redis.call('ZREMRANGEBYSCORE', stories, '-inf', now)
  redis.call('ZREMRANGEBYRANK', stories, 0, -10001)
  redis.call('PEXPIRE', stories, arg.window_ms)
end
local answer, parked = {'OK', story, voice}, 0
for i, hit in ipairs(arg.hits) do
  local known, over = 0, false
  for n, mark in ipairs(hit.marks) do
    if known == 0 and redis.call('ZSCORE', marks, mark) then known = n end
    redis.call('ZADD', marks, now + arg.hits_ttl_ms, mark)
  end
  if known == 0 then
    local bytes, day = before .. ARGV[i + 1], count .. hit.topic .. ':' .. math.floor(now / 86400000)
    local hits = redis.call('HINCRBY', day, math.floor(now / 3600000) % 24, 1)
    if hits == 1 then redis.call('EXPIRE', day, 3110400) end
    over = arg.per_hour > 0 and hits > arg.per_hour
    for _, group in ipairs(hit.groups) do
      if over then
        redis.call('HINCRBY', over_prefix .. group, hit.topic, 1)
        redis.call('HSETNX', over_prefix .. group, '', now)
      else
        redis.call('RPUSH', bucket .. group, bytes)
        redis.call('HSETNX', open, group, now)
        parked = parked + 1
      end
    end
    remember(bytes, hit.topic)
    keep_open(hit.topic, story ~= '' and story or hit.marks[1])
  end
  local fate = known > 0 and ':copies' or #hit.groups == 0 and ':unrouted' or over and ':over' or ':parked'
  tally(ledger, 'topic:' .. hit.topic .. ':hits', 1)
  tally(ledger, 'topic:' .. hit.topic .. fate, 1)
  answer[#answer + 1] = known
end
tally(ledger, 'matched', 1)
tally(ledger, 'hits', #arg.hits)
tally(ledger, 'parked', parked)
-- A hint, so that a notifier need not wait for its next tick. A user without rights on the channel must not undo the answer.
if parked > 0 then redis.pcall('PUBLISH', channel, '') end
return answer
