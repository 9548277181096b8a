-- MATCHED: one article has been matched, whole: acknowledge it, find its story, tell duplicates from news, add the news
-- to its groups.
-- KEYS 1 articles stream, 2 hits zset, 3 open hash, 4 prefix of the buckets, 5 channel of new hits,
--      6 prefix of the index of stories, 7 prefix of the stories, 8 ledger, 9 history stream,
--      10 stream of retained articles, 11 prefix of the counts, 12 prefix of over, 13 prefix of the open stories,
--      14 prefix of the hits' records, 15 prefix of the stories' places in the history,
--      16 stream of stories that wait for their event, 17 copies stream
-- ARGV 1 JSON: entry (its id); hits_ttl_ms; window_ms (of stories); history_ms (how long hits stay in the history);
--      retained (how many articles are retained; 0: none); per_hour (hits of a topic that are added in an hour; 0: all);
--      signature (see shared/stories.lua; missing: every hit is a story of its own);
--      hits ({id, topic, story, marks, own, groups} each; story: what the hit is part of without a signature; own: the
--      marks of its source and headline, and of these with its text: where only the first is known, it is no copy);
--      revises (whether the article is a later version of another, which may be known by its headline);
--      unjoined_max (how many stories may wait for their event; 0: none does); about (countries, as text)
--      2… the bytes of each hit; then the beginning of the article, if unjoined_max is not 0
-- returns {'OK', story, voice, for each hit 0: it is news, or which of its marks was known}
--      | {'GONE'} another matcher had the article: nothing was written
-- Hits beyond the limit of an hour are counted for each of their groups instead of added.
-- A hit is stored with its story in front: 's1', story (32), length of the voice (4), voice, bytes.
local articles, marks, open, bucket, channel, index, story_prefix, ledger, history, retained, count, over_prefix,
  open_stories, record, reports, unjoined,
  copies = unpack(KEYS)
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
local story, voice, before, share, name, of = '', '', '', 0, nil, ''
if arg.signature then
  story, voice, share, name, of = decide(index, story_prefix, now, arg.window_ms, arg.signature)
  before = 's1' .. story .. string.format('%04d', #voice) .. voice
  if arg.unjoined_max > 0 and story == arg.signature.story and redis.call('XLEN', unjoined) < arg.unjoined_max then
    redis.call('XADD', unjoined, '*', 's', story, 'a', ARGV[#arg.hits + 2], 'c', arg.about)
  end
end
-- Bounded in number, too, so that a flood of hits cannot fill the store.
-- Each hit has a record: `history`, its place there; `share`, how much of its text the story had before; `of`, the
-- article that had it; `first`, the first hit of its topic in the story; and for each group what became of it, since
-- when. Hits that repeat others are in the stream of copies instead of the history.
-- All places of a story are kept, so that it can be read whole.
local function remember(hit, topic, id, story)
  local oldest = string.format('%d-0', now - arg.history_ms)
  local place = redis.call('XADD', history, 'MINID', '~', oldest, '*', 't', topic, 'h', hit, 'i', id)
  if story ~= '' then
    redis.call('ZADD', reports .. story, now, place)
    redis.call('PEXPIRE', reports .. story, arg.history_ms)
  end
  if redis.call('XLEN', history) > 110000 then
    for _, entry in ipairs(redis.call('XRANGE', history, '-', '+', 'COUNT', 8)) do
      if entry[2][5] == 'i' then redis.call('DEL', record .. entry[2][6]) end
      redis.call('XDEL', history, entry[1])
    end
  end
  return place
end
local function first_of(topic, id)
  if not name then return id end
  redis.call('HSETNX', story_prefix .. name, 'hit:' .. topic, id)
  return redis.call('HGET', story_prefix .. name, 'hit:' .. topic)
end
-- The topic's stories that a further report may still join; bounded as the history is.
local function keep_open(topic, name)
  local stories = open_stories .. topic
  redis.call('ZADD', stories, now + arg.window_ms, name)
  redis.call('ZREMRANGEBYSCORE', stories, '-inf', now)
  redis.call('ZREMRANGEBYRANK', stories, 0, -10001)
  redis.call('PEXPIRE', stories, arg.window_ms)
end
local COPIES_MS, MOST_COPIES = 604800000, 10000  -- of copies, which the history does not have
local answer, parked = {'OK', story, voice}, 0
for i, hit in ipairs(arg.hits) do
  local known, over = 0, false
  local own, another = hit.own or {}, false
  if own[1] and not arg.revises then
    another = redis.call('ZSCORE', marks, own[1]) and not redis.call('ZSCORE', marks, own[2])
  end
  for _, mark in ipairs(own) do redis.call('ZADD', marks, now + arg.hits_ttl_ms, mark) end
  for n, mark in ipairs(hit.marks) do
    if known == 0 and (n == 1 or not another) and redis.call('ZSCORE', marks, mark) then known = n end
    redis.call('ZADD', marks, now + arg.hits_ttl_ms, mark)
  end
  local first = known ~= 1 and first_of(hit.topic, hit.id) or hit.id
  local facts = {'share', string.format('%.2f', share), 'of', of, 'first', first}
  if known == 0 then
    local bytes, day = before .. ARGV[i + 1], count .. hit.topic .. ':' .. math.floor(now / 86400000)
    local hits = redis.call('HINCRBY', day, math.floor(now / 3600000) % 24, 1)
    if hits == 1 then redis.call('EXPIRE', day, 3110400) end
    over = arg.per_hour > 0 and hits > arg.per_hour
    for _, group in ipairs(hit.groups) do
      if over then
        redis.call('HINCRBY', over_prefix .. group, hit.topic, 1)
        redis.call('HSETNX', over_prefix .. group, '', now)
        count_fate(ledger, receiver_of(group), hit.topic, 'over', 1)
      else
        redis.call('RPUSH', bucket .. group, bytes)
        redis.call('HSETNX', open, group, now)
        parked = parked + 1
        count_fate(ledger, receiver_of(group), hit.topic, 'waiting', 1)
      end
      count_fate(ledger, receiver_of(group), hit.topic, 'came', 1)
      facts[#facts + 1] = 'group:' .. group
      facts[#facts + 1] = (over and 'over' or 'waiting') .. '\t' .. now .. '\t'
    end
    facts[#facts + 1] = 'history'
    facts[#facts + 1] = remember(bytes, hit.topic, hit.id, story ~= '' and story or hit.story)
    keep_open(hit.topic, story ~= '' and story or hit.marks[1])
  end
  if known > 1 then  -- another article that repeats one; known == 1 is the same hit once more
    for _, group in ipairs(hit.groups) do
      count_fate(ledger, receiver_of(group), hit.topic, 'came', 1)
      count_fate(ledger, receiver_of(group), hit.topic, 'copies', 1)
      facts[#facts + 1] = 'group:' .. group
      facts[#facts + 1] = 'copies\t' .. now .. '\t'
    end
    redis.call('XADD', copies, 'MAXLEN', '~', MOST_COPIES, '*', 't', hit.topic, 'i', hit.id)
    redis.call('PEXPIRE', copies, COPIES_MS)
    facts[#facts + 1] = 'bytes'
    facts[#facts + 1] = before .. ARGV[i + 1]
  end
  if known ~= 1 then
    redis.call('HSET', record .. hit.id, unpack(facts))
    redis.call('PEXPIRE', record .. hit.id, known == 0 and arg.history_ms or math.min(arg.history_ms, COPIES_MS))
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
