-- COMMIT: one visit to a source, whole: mark articles seen, queue the new ones, move the cursor, set the next visit,
--         let go of the host.
-- KEYS 1 feeds zset, 2 source hash, 3 seen zset, 4 articles stream, 5 prefix of the host hashes, 6 ledger,
--      7 heads hash: article id → mark of its headline, and how often that has changed
-- ARGV 1 name, 2 fence ('' = an unshared source), 3 delay ms until the next visit (-1 = not the last part of a visit)
--      4 ttl of seen ms, 5 limit of the stream, 6 what last_new becomes if something is new, 7 '1' = the host said
--      "too many requests", 8 number of state fields, 9 how many were new in earlier parts of the visit,
--      then field, value …, then id, mark, payload …
--      a state value '' deletes its field; a payload '' marks an article as seen without queueing it; a payload '='
--      stands for an article that a look-up found seen, so that nobody made a payload;
--      a mark (8 characters) is that of the headline, '' if nobody is to look at it
-- returns {'OK', new, known} | {'FENCED'} a slower twin lost its lease | {'BUSY'} the queue is full
--      | {'STALE'} an article that had been seen is forgotten since: marked now, it would never be told.
--      But for OK nothing was written.
-- An article that was queued under another headline is queued again and counts as new, five times at the most.
-- A host that limits one feed has slots twice as wide for an hour; one that limits two within an hour rests as long
-- as this feed waits.
local now = now_ms()
if ARGV[2] ~= '' and redis.call('HGET', KEYS[2], 'fence') ~= ARGV[2] then return {'FENCED'} end
local first = 10 + 2 * ARGV[8]
local fresh, new, known = {}, 0, 0
-- What is remembered of the headline if the article is queued now; nil: it is known.
local function head(id, mark, payload)
  if not redis.call('ZSCORE', KEYS[3], id) then return mark .. '0' end
  local before = mark ~= '' and payload ~= '=' and redis.call('HGET', KEYS[7], id)
  if not before or string.sub(before, 1, 8) == mark then return nil end
  local changes = tonumber(string.sub(before, 9)) + 1
  return changes <= 5 and mark .. changes or nil
end
for i = first, #ARGV, 3 do
  local id, payload = ARGV[i], ARGV[i + 2]
  local to = not fresh[id] and head(id, ARGV[i + 1], payload)
  if not to then known = known + 1
  elseif payload == '=' then return {'STALE'}
  elseif payload ~= '' then fresh[id] = to; new = new + 1 end
end
if new > 0 and redis.call('XLEN', KEYS[4]) + new > tonumber(ARGV[5]) then return {'BUSY'} end
for i = first, #ARGV, 3 do
  redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[i])
  if fresh[ARGV[i]] then
    if ARGV[i + 1] ~= '' then redis.call('HSET', KEYS[7], ARGV[i], fresh[ARGV[i]]) end
    fresh[ARGV[i]] = nil
    redis.call('XADD', KEYS[4], '*', 'a', ARGV[i + 2])
  end
end
for i = 10, first - 1, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[2], ARGV[i])
  else redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
end
tally(KEYS[6], 'new', new)
tally(KEYS[6], 'known', known)
tally(KEYS[6], 'source:' .. ARGV[1] .. ':new', new)
tally(KEYS[6], 'source:' .. ARGV[1] .. ':known', known)
if new > 0 then redis.call('HSET', KEYS[2], 'last_new', ARGV[6]) end
if tonumber(ARGV[3]) >= 0 then redis.call('HSET', KEYS[2], 'entries_new', ARGV[9] + new) end
if ARGV[2] == '' or tonumber(ARGV[3]) < 0 then return {'OK', new, known} end

redis.call('ZADD', KEYS[1], 'XX', now + ARGV[3], ARGV[1])
local host = redis.call('HGET', KEYS[2], 'host')
if host and host ~= '' then
  local h, mark, hour = KEYS[5] .. host, 'limited:' .. ARGV[1], 3600000
  if redis.call('HGET', h, 'holder') == ARGV[1] then redis.call('HDEL', h, 'held', 'holder') end
  if ARGV[7] == '1' then
    redis.call('HSET', h, mark, now, 'slow', now + hour)
    local fields, limited = redis.call('HGETALL', h), 0
    for i = 1, #fields, 2 do
      if string.sub(fields[i], 1, 8) == 'limited:' then
        if tonumber(fields[i + 1]) > now - hour then limited = limited + 1
        else redis.call('HDEL', h, fields[i]) end
      end
    end
    if limited >= 2 then redis.call('HSET', h, 'next', now + ARGV[3]) end
    redis.call('PEXPIRE', h, 259200000)
  else redis.call('HDEL', h, mark) end
end
return {'OK', new, known}
