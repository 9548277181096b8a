-- Prefixed to MATCHED: which story an article belongs to. match/stories.py decides by the same rules in memory;
-- tests/contracts/test_stories.py holds both to one result.
-- The index is a hash for each part of the window: exact keys and shingle hashes → stories. It expires by itself, and
-- names a story by the first 16 digits of its id. Work is bounded: 24 hashes, 8 stories, 8 texts of each.
local PARTS, INDEXED, COMMON, CANDIDATES, TEXTS, DIGITS, SKETCH = 4, 24, 64, 8, 8, 12, 96
local LEAST, FEW, OF_FEW, CONTAINED, COPIED, EDITION = 8, 40, 0.6, 0.45, 0.6, 0.8
local BOILERPLATE = 4
local BEYOND_BOILERPLATE, MOST_BOILERPLATE, WITNESSES = 95, 190, 2
local NOTHING_OWN, NEARLY_ALL, SAME_OPENING, OWN_COPY = 0.95, 0.8, 0.4, 0.85
local SIBLINGS = 8
local ANOTHER_DAY, SAME_FIGURES, FEWEST_FIGURES = 64800000, 0.5, 3

local function hashes(sketch)
  local all = {}
  for i = 1, #sketch, DIGITS do all[#all + 1] = tonumber(string.sub(sketch, i, i + DIGITS - 1), 16) end
  return all
end

local function words(text)
  local all = {}
  for word in string.gmatch(text, '%S+') do all[#all + 1] = word end
  return all
end

local function in_common(one, other)
  local there, shared = {}, 0
  for _, value in ipairs(other) do there[value] = true end
  for _, value in ipairs(one) do if there[value] then shared = shared + 1 end end
  return shared
end

-- The share of a story's hashes, among those looked up, that many stories have. holders: stories by number of the hash.
local function boilerplate_share(name, holders, looked)
  local held, many = 0, 0
  for i = 1, looked do
    local there = holders[i]
    if there and (there[name] or there.n >= COMMON) then
      held = held + 1
      if there.n >= BOILERPLATE then many = many + 1 end
    end
  end
  if held == 0 then return 0 end
  return many / held
end

-- The share of the smaller text that the other one contains; 0 if the sketches are too short to say.
local function contained(one, other, boilerplate)
  local limit = math.huge
  if not one.whole then limit = one.hashes[#one.hashes] end
  if not other.whole then limit = math.min(limit, other.hashes[#other.hashes]) end
  local mine, theirs, shared = 0, 0, 0
  for _, value in ipairs(one.hashes) do if value <= limit then mine = mine + 1 end end
  for _, value in ipairs(other.hashes) do
    if value > limit then break end
    theirs = theirs + 1
    if one.set[value] then shared = shared + 1 end
  end
  local fewest = math.min(mine, theirs)
  if shared < LEAST or (fewest < FEW and shared < OF_FEW * fewest) then return 0 end
  if boilerplate >= 1 then return 0 end
  return shared * (1 - boilerplate) / (fewest - shared * boilerplate)
end

local function other_figures(one, other)
  local mine, theirs = words(one.figures), words(other.figures)
  local fewest = math.min(#mine, #theirs)
  return fewest >= FEWEST_FIGURES and in_common(mine, theirs) < SAME_FIGURES * fewest
end

local function same_words(one, other)
  local mine, theirs = words(one), words(other)
  return #mine == #theirs and in_common(mine, theirs) == #mine
end

local function set_of(text)
  local set = {}
  for _, word in ipairs(words(text)) do set[word] = true end
  return set
end

-- Whether the headlines show that the texts are about the same: they are alike, or words of them are in both texts.
local function speaks_of(one, other, share)
  if one.headline ~= '' and same_words(one.headline, other.headline) then return true end
  local mine, theirs, witnesses, seen, fewest = set_of(one.lead), set_of(other.lead), 0, {}, WITNESSES
  for side, headline in ipairs({ words(one.headline), words(other.headline) }) do
    fewest = math.min(fewest, math.max(1, #headline))
    for _, word in ipairs(headline) do
      local is_there = mine[word] and theirs[word]
      if share >= NOTHING_OWN then is_there = (side == 1 and theirs or mine)[word] end
      if is_there and not seen[word] then seen[word] = true; witnesses = witnesses + 1 end
    end
  end
  return witnesses >= fewest
end

-- How many words of a headline only its own text has.
local function of_its_own(one, other)
  local mine, theirs, headline, own = set_of(one.lead), set_of(other.lead), set_of(other.headline), 0
  for _, word in ipairs(words(one.headline)) do
    if mine[word] and not headline[word] and not theirs[word] then own = own + 1 end
  end
  return own
end

local function is_about_another(one, other, least)
  return of_its_own(one, other) >= least and of_its_own(other, one) >= least
end

-- Whether each has figures that the other one lacks, and no more than half of them in common.
local function contradict(one, other)
  local mine, theirs = words(one.figures), words(other.figures)
  local shared, fewest = in_common(mine, theirs), math.min(#mine, #theirs)
  return shared < fewest and 2 * shared <= fewest
end

-- Whether what two texts share is more than what outlets put under many headlines.
local function is_evidence(one, other, share)
  if not other.size then return true end  -- a record of an earlier version
  local shared = share * math.min(one.size, other.size)
  if shared >= BEYOND_BOILERPLATE then
    return shared >= MOST_BOILERPLATE or speaks_of(one, other, share) or not is_about_another(one, other, WITNESSES)
  end
  if not speaks_of(one, other, share) or is_about_another(one, other, 1) or contradict(one, other) then return false end
  local mine, theirs = words(one.opening), words(other.opening)
  return share >= NEARLY_ALL or in_common(mine, theirs) >= SAME_OPENING * math.min(#mine, #theirs)
end

local function joins(one, other, share)
  if share < CONTAINED or not is_evidence(one, other, share) then return false end
  local same_outlet = one.outlet == other.outlet
  if same_outlet and other.size and not same_words(one.headline, other.headline) then
    if share < OWN_COPY or share * math.min(one.size, other.size) < BEYOND_BOILERPLATE then return false end
    if other_figures(one, other) then return false end
  end
  if math.abs(one.day - other.day) < ANOTHER_DAY then return true end
  if one.series == other.series and one.numbers ~= '' and other.numbers ~= '' and one.numbers ~= other.numbers then
    return false
  end
  return not other_figures(one, other) and (not same_outlet or share >= EDITION)
end

local function text_of(record)
  local part = {}
  for field in string.gmatch(record .. '\t', '([^\t]*)\t') do part[#part + 1] = field end
  return { seen = tonumber(part[1]), article = part[2], outlet = part[3], voice = part[4], day = tonumber(part[5]),
    whole = part[6] == '1', series = part[7], numbers = part[8], figures = part[9], hashes = hashes(part[10]),
    size = tonumber(part[11]), headline = part[12], lead = part[13], opening = part[14], siblings = part[15],
    entry = part[16] }
end

-- Whether an entry of a feed has the text of an earlier one under the same headline, edited at most.
local function hardly_changed(one, other)
  if one.entry ~= '' and other.entry ~= '' and one.entry ~= other.entry then return false end
  if math.abs(one.day - other.day) >= ANOTHER_DAY or #one.hashes == 0 or #other.hashes == 0 then return false end
  if not same_words(one.figures, other.figures) then return false end
  local shared = contained(one, other, 0) * math.min(one.size, other.size)
  return shared >= BEYOND_BOILERPLATE and shared >= OWN_COPY * math.max(one.size, other.size)
end

-- Whether a story has another entry of the same source under the same headline, with a text of its own; of a series,
-- also whether another text opened it. The record has the words of such entries, each with one blank behind it.
local function holds_another(record, sig, since)
  if not sig.siblings then return false end
  local found = redis.call('HMGET', record, 'siblings:' .. sig.siblings, 'opened')
  local known, opened = found[1], sig.is_series and found[2]
  local is_known = not known or string.find(known, sig.words .. ' ', 1, true)
  if is_known and (not opened or string.find(opened, sig.words .. ' ', 1, true) == 1) then return false end
  for slot = 1, TEXTS do
    local text = redis.call('HGET', record, 'text' .. slot)
    if not text then break end
    text = text_of(text)
    local is_asked = text.siblings == sig.siblings or (opened and string.match(opened, ' (.*)') == text.article)
    if text.seen > since and is_asked and hardly_changed(sig, text) then return false end
  end
  return true
end

-- The latest use of this key within the window, newest part first: name of the story, voice.
local function used(parts, key, since)
  for _, part in ipairs(parts) do
    local found = redis.call('HGET', part, key)
    if found then
      local name, seen, voice = string.match(found, '^(%x+)|(%d+)|(.*)$')
      if tonumber(seen) > since then return name, voice end
      return
    end
  end
end

-- The first of the article's keys that is known: name of the story, voice, the key. Under the page of a series a feed
-- publishes one text after the other: it is kept as such ('bulletins:' and its key), and there the text decides.
local function by_key(parts, k_story, sig, now, since)
  sig.is_series = sig.page and sig.page ~= '' and used(parts, 'bulletins:' .. sig.page, since) ~= nil
  for _, key in ipairs(sig.exact) do
    local name, voice = used(parts, key, since)
    if name and string.match(key, '^article:') then return name, voice, key end
    if name and not (key == sig.page and sig.is_series) then
      if not holds_another(k_story .. name, sig, since) then return name, voice, key end
      if key == sig.page then
        sig.is_series = true
        redis.call('HSET', parts[1], 'bulletins:' .. key, name .. '|' .. string.format('%d', now) .. '|')
      end
    end
  end
end

-- The text of a story that has most in common with this one: the share, and the article.
local function most_alike(record, sig, since)
  local best, article = 0, ''
  for slot = 1, TEXTS do
    local found = redis.call('HGET', record, 'text' .. slot)
    if not found then break end
    local text = text_of(found)
    local share = text.seen > since and contained(sig, text, 0) or 0
    if share > best then best, article = share, text.article end
  end
  return best, article
end

local function nearest(parts, k_story, sig, since)
  if #sig.hashes == 0 then return end
  local counts, names, looked = {}, {}, {}
  for i = 1, math.min(INDEXED, #sig.hashes) do
    looked[i] = string.sub(sig.sketch, (i - 1) * DIGITS + 1, i * DIGITS)
  end
  local holders = {}
  for _, part in ipairs(parts) do
    for i, found in ipairs(redis.call('HMGET', part, unpack(looked))) do
      if found then
        holders[i] = holders[i] or { n = 0 }
        for at = 1, #found, 16 do
          local name = string.sub(found, at, at + 15)
          if not holders[i][name] then holders[i][name] = true; holders[i].n = holders[i].n + 1 end
        end
      end
    end
  end
  for i = 1, #looked do
    if holders[i] and holders[i].n < COMMON then
      for name in pairs(holders[i]) do
        if name ~= 'n' then
          if not counts[name] then counts[name] = 0; names[#names + 1] = name end
          counts[name] = counts[name] + 1
        end
      end
    end
  end
  table.sort(names, function(a, b)
    if counts[a] ~= counts[b] then return counts[a] > counts[b] end
    return a < b
  end)
  local best, story, voice, article = 0, nil, nil, ''
  for i = 1, math.min(CANDIDATES, #names) do
    local boilerplate = boilerplate_share(names[i], holders, #looked)
    for slot = 1, holds_another(k_story .. names[i], sig, since) and 0 or TEXTS do
      local record = redis.call('HGET', k_story .. names[i], 'text' .. slot)
      if not record then break end
      local text = text_of(record)
      if text.seen > since then
        local share = contained(sig, text, boilerplate)
        if share > best and joins(sig, text, share) then
          best, story, voice, article = share, names[i], text.voice, text.article
        end
      end
    end
  end
  if story and best < COPIED then voice = sig.voice end
  return story, voice, best, article
end

-- sig: article, story, title, outlet, voice, credited, day, whole, series, numbers, figures, sketch, size, headline, lead,
-- opening, page, siblings, words, entry, and exact: its keys, the article's own first. Returns the story's id, the
-- article's voice, the share of its text that the story had before, the name of the story, and the article that had it
-- ('' if unknown); adds the article to the story and to the index.
local function decide(k_index, k_story, now, window, sig)
  local slot, since, parts = math.ceil(window / PARTS), now - window, {}
  for back = 0, PARTS do parts[#parts + 1] = k_index .. string.format('%d', math.floor(now / slot) - back) end
  sig.hashes, sig.set = hashes(sig.sketch), {}
  for _, value in ipairs(sig.hashes) do sig.set[value] = true end
  local again = used(parts, sig.exact[1], since) ~= nil
  local share, of = 0, ''
  local name, voice, key = by_key(parts, k_story, sig, now, since)
  if name and not again then
    share, of = most_alike(k_story .. name, sig, since)
    if string.match(key, '^body:') or string.match(key, '^short:') or string.match(key, '^text:') then share = 1 end
  elseif not name then
    name, voice, share, of = nearest(parts, k_story, sig, since)
    if not name then share, of = 0, '' end
  end
  if not name or sig.credited then voice = sig.voice end
  name = name or string.sub(sig.story, 1, 16)
  local record = k_story .. name
  redis.call('HSETNX', record, 'id', sig.story)
  redis.call('HSETNX', record, 'first', now)
  redis.call('HSETNX', record, 'title', sig.title)
  if sig.words then redis.call('HSETNX', record, 'opened', sig.words .. ' ' .. sig.article) end
  redis.call('HSET', record, 'last', now)
  if not again then
    redis.call('HINCRBY', record, 'articles', 1)
    if redis.call('HLEN', record) < 200 then redis.call('HSETNX', record, 'outlet:' .. sig.outlet, voice) end
    if sig.siblings and redis.call('HLEN', record) < 300 then
      local others = redis.call('HGET', record, 'siblings:' .. sig.siblings) or ''
      others = string.gsub(others, sig.words .. ' ', '')
      redis.call('HSET', record, 'siblings:' .. sig.siblings,
        sig.words .. ' ' .. string.sub(others, 1, (SIBLINGS - 1) * (#sig.words + 1)))
    end
    if #sig.hashes > 0 then
      local texts = 0
      for i = 1, TEXTS do
        local kept = redis.call('HGET', record, 'text' .. i)
        if not kept or tonumber(string.match(kept, '^%d+')) <= since then break end
        texts = i
      end
      redis.call('HSET', record, 'text' .. math.min(texts + 1, TEXTS), table.concat({ string.format('%d', now),
        sig.article, sig.outlet, voice, string.format('%d', sig.day), sig.whole and '1' or '0', sig.series, sig.numbers,
        sig.figures, sig.sketch, string.format('%d', sig.size), sig.headline, sig.lead, sig.opening, sig.siblings or '', sig.entry or '' }, '\t'))
      for i = 1, math.min(INDEXED, #sig.hashes) do
        local value = string.sub(sig.sketch, (i - 1) * DIGITS + 1, i * DIGITS)
        local known = redis.call('HGET', parts[1], value) or ''
        local is_there = false
        for at = 1, #known, 16 do if string.sub(known, at, at + 15) == name then is_there = true end end
        if not is_there and #known < 16 * COMMON then redis.call('HSET', parts[1], value, known .. name) end
      end
    end
  end
  for _, key in ipairs(sig.exact) do
    redis.call('HSET', parts[1], key, name .. '|' .. string.format('%d', now) .. '|' .. voice)
  end
  redis.call('PEXPIRE', parts[1], window + 2 * slot)
  redis.call('PEXPIRE', record, 2 * window + slot)
  return redis.call('HGET', record, 'id'), voice, share, name, of
end
