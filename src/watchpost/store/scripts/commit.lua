-- COMMIT: one visit to a source, whole: mark its articles as seen, queue the new ones, store the source's memory, set
-- the next visit, release the host.
-- KEYS 1 feeds zset, 2 source hash, 3 seen zset, 4 articles stream, 5 prefix of the host hashes, 6 ledger,
--      7 heads hash: article id → mark of its headline (8 characters), and how often that has changed,
--      8 stream of articles for the archive
-- ARGV 1 JSON: name; fence ('' = a source that is not shared);
--      delay_ms (until the next visit; -1 = this is not the last part of the visit);
--      seen_ttl_ms; queue_max (limit of the stream); archive_max (limit of the archive's stream; 0: no archive); last_new (its value if something is new);
--      limited (the host asked for fewer requests); new_before (articles that were new in earlier parts of the visit);
--      state (a list field, value, …; '' deletes the field);
--      seen (ids that a look-up found seen, so that nobody made an article of them);
--      known (ids to mark as seen without queueing anything);
--      articles (ids); marks (of the headline of each; '' = it is never queued again for a new headline)
--      2… the bytes of each article
-- returns {'OK', new, known, how many the archive's stream had no room for}
--      | {'FENCED'} the lease was lost to another poller | {'BUSY'} the queue is full
--      | {'STALE'} an id of `seen` has been forgotten since: marked now, its article would never be sent.
--      With every answer but OK nothing was written.
-- An article that was queued under another headline is queued again and counts as new, five times at most.
-- A host that limits one feed has slots twice as wide for an hour; one that limits two within an hour rests as long
-- as this feed waits.
local feeds, source, seen, queue, host_prefix, ledger, heads, unarchived = unpack(KEYS)
local arg, now = cjson.decode(ARGV[1]), now_ms()
if arg.fence ~= '' and redis.call('HGET', source, 'fence') ~= arg.fence then return {'FENCED'} end
local fresh, new, known, omitted = {}, 0, 0, 0
local room = arg.archive_max > 0 and arg.archive_max - redis.call('XLEN', unarchived) or 0
-- What is stored for the headline if the article is queued now; nil: it is known.
local function head(id, mark)
  if not redis.call('ZSCORE', seen, id) then return mark .. '0' end
  local before = mark ~= '' and redis.call('HGET', heads, id)
  if not before or string.sub(before, 1, 8) == mark then return nil end
  local changes = tonumber(string.sub(before, 9)) + 1
  return changes <= 5 and mark .. string.format('%d', changes) or nil
end
for _, id in ipairs(arg.seen) do
  if not redis.call('ZSCORE', seen, id) then return {'STALE'} end
  known = known + 1
end
for _, id in ipairs(arg.known) do if redis.call('ZSCORE', seen, id) then known = known + 1 end end
for i, id in ipairs(arg.articles) do
  local to = not fresh[id] and head(id, arg.marks[i])
  if to then fresh[id] = to; new = new + 1 else known = known + 1 end
end
if new > 0 and redis.call('XLEN', queue) + new > arg.queue_max then return {'BUSY'} end
local forget = now + arg.seen_ttl_ms
for _, id in ipairs(arg.seen) do redis.call('ZADD', seen, forget, id) end
for _, id in ipairs(arg.known) do redis.call('ZADD', seen, forget, id) end
for i, id in ipairs(arg.articles) do
  redis.call('ZADD', seen, forget, id)
  if fresh[id] then
    if arg.marks[i] ~= '' then redis.call('HSET', heads, id, fresh[id]) end
    fresh[id] = nil
    redis.call('XADD', queue, '*', 'a', ARGV[i + 1])
    if room > 0 then
      redis.call('XADD', unarchived, '*', 'a', ARGV[i + 1])
      room = room - 1
    elseif arg.archive_max > 0 then omitted = omitted + 1 end
  end
end
for i = 1, #arg.state, 2 do
  local field, value = arg.state[i], arg.state[i + 1]
  if value == '' then redis.call('HDEL', source, field) else redis.call('HSET', source, field, value) end
end
tally(ledger, 'new', new)
tally(ledger, 'known', known)
if omitted > 0 then tally(ledger, 'unarchived', omitted) end
tally(ledger, 'source:' .. arg.name .. ':new', new)
tally(ledger, 'source:' .. arg.name .. ':known', known)
if new > 0 then redis.call('HSET', source, 'last_new', arg.last_new) end
if arg.delay_ms >= 0 then redis.call('HSET', source, 'entries_new', arg.new_before + new) end
if arg.fence == '' or arg.delay_ms < 0 then return {'OK', new, known, omitted} end

redis.call('ZADD', feeds, 'XX', now + arg.delay_ms, arg.name)
local name = redis.call('HGET', source, 'host')
if name and name ~= '' then
  local host, mark, hour = host_prefix .. name, 'limited:' .. arg.name, 3600000
  leave_host(host, arg.name)
  if arg.limited then
    redis.call('HSET', host, mark, now, 'slow', now + hour)
    local fields, limited = redis.call('HGETALL', host), 0
    for i = 1, #fields, 2 do
      if string.sub(fields[i], 1, 8) == 'limited:' then
        if tonumber(fields[i + 1]) > now - hour then limited = limited + 1
        else redis.call('HDEL', host, fields[i]) end
      end
    end
    if limited >= 2 then redis.call('HSET', host, 'next', now + arg.delay_ms) end
    redis.call('PEXPIRE', host, 259200000)
  else redis.call('HDEL', host, mark) end
end
return {'OK', new, known, omitted}
