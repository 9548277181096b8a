-- CLOSE_DUE: one window of one group closes, whole: the hits that its digest contains leave the bucket, those that are
-- held back go into a bucket of their own, and the frozen deliveries enter the outbox.
-- KEYS 1 bucket list, 2 open hash, 3 group hash, 4 prefix of out, 5 prefix of outbox, 6 boxes set,
--      (9 may be 1, and 10 may be 3: what is held back stays in the group, for its next window)
--      7 prefix of what the group was sent of a story, 8 ledger, 9 bucket and 10 group hash of what is held, 11 hash of
--      the group that it is held for (KEYS[3] if that is this one), 12 its over hash, 13 prefix of its receiver's quota,
--      14 dead stream, 15 counts of dead letters, 16 prefix of contents, 17 prefix of the hits' records,
--      18 zset of escalations that wait, 19 sent zset
-- ARGV 1 JSON: group; turn (as it was when the hits were read); end_ms (of the window); taken (hits that were read);
--      deliveries ({id, receiver, digest, created} each); plan (fingerprint of the configuration);
--      notes ({story, note} each); notes_ttl_ms;
--      held_group, held_until (ms), held (how many hits are held back); silenced (how many hits);
--      over ({topic, count} each: hits beyond the limit that the digest reports);
--      damaged (of each hit that cannot be read, why);
--      gone ({topic, count} each: readable hits that leave the group and are not held back);
--      contents ({id, ids (of deliveries), sums ({topic, fate, count} each)} each: what deliveries hold);
--      ended ({topic, fate, count} each: hits that no delivery holds);
--      known ({topic, contents, count} each: copies of what an earlier delivery names);
--      fates ({hit, fate, where} each), kept_ms (how long records of hits are kept)
--      escalations (as deliveries, and story, unless, after_ms: dropped if the story has this handling when it is due)
--      2… the message of each delivery, the bytes of each hit held back, the bytes of each damaged hit, the message of
--      each escalation
-- returns {'OK'} | {'CLOSED'} another notifier was first: nothing was written
-- Hits that were added after the reading stay: the first `taken` are those that were read, because the turn says that
-- nobody else took any since.
local bucket, open, group, out, outbox, boxes, told, ledger, held_bucket, held_group, base, over, quota, dead, counts,
  contents, record, later, sent = unpack(KEYS)
local arg, now, last = cjson.decode(ARGV[1]), now_ms(), 1
local function next_bytes()
  last = last + 1
  return ARGV[last]
end
if (redis.call('HGET', group, 'turn') or '0') ~= arg.turn then return {'CLOSED'} end
redis.call('LTRIM', bucket, arg.taken, -1)  -- first: a full server refuses a script whose first write needs memory
redis.call('HINCRBY', group, 'turn', 1)
redis.call('HSET', group, 'closed', arg.end_ms)
if redis.call('LLEN', bucket) > 0 then redis.call('HSET', open, arg.group, now)
else redis.call('HDEL', open, arg.group) end
for _, delivery in ipairs(arg.deliveries) do queue_delivery(out, outbox, boxes, delivery, next_bytes()) end
for _, note in ipairs(arg.notes) do redis.call('SET', told .. note[1], note[2], 'PX', arg.notes_ttl_ms) end
if arg.held > 0 then
  local till, before = arg.held_until, tonumber(redis.call('HGET', held_group, 'until') or '0')
  if redis.call('LLEN', held_bucket) > 0 and before < till then till = before end
  for _ = 1, arg.held do redis.call('RPUSH', held_bucket, next_bytes()) end
  redis.call('HSET', held_group, 'until', till)
  redis.call('HSETNX', open, arg.held_group, now)
end
for _, topic in ipairs(arg.over) do
  if redis.call('HINCRBY', over, topic[1], -topic[2]) <= 0 then redis.call('HDEL', over, topic[1]) end
end
if #arg.over > 0 then
  if redis.call('HLEN', over) == 1 then redis.call('DEL', over) else redis.call('HSET', over, '', now) end
end
for _, why in ipairs(arg.damaged) do
  add_letter(dead, counts,
    {'kind', 'hit', 'reason', 'codec', 'detail', why, 'payload', next_bytes(), 'group', arg.group})
end
tally(ledger, 'dead_hits', #arg.damaged)
tally(ledger, 'told', arg.taken - arg.held - #arg.damaged)
-- An earlier version closes windows without what follows; what it took shows as told and dead_hits less followed.
tally(ledger, 'followed', arg.taken - arg.held)
local receiver = receiver_of(arg.group)
for _, gone in ipairs(arg.gone) do leave(ledger, receiver, gone[1], 'waiting', gone[2]) end
for _, topic in ipairs(arg.over) do leave(ledger, receiver, topic[1], 'over', topic[2]) end
-- What cannot be read has no topic.
count_fate(ledger, receiver, '', 'waiting', -#arg.damaged)
count_fate(ledger, receiver, '', 'failed', #arg.damaged)
for _, held in ipairs(arg.contents) do
  local name = contents .. held.id
  redis.call('HSET', name, 'state', 'open', 'open', #held.ids, 'ids', table.concat(held.ids, ' '), 'receiver', receiver)
  for _, sum in ipairs(held.sums) do
    redis.call('HINCRBY', name, sum[1] .. '\t' .. sum[2], sum[3])
    count_fate(ledger, receiver, sum[1], 'open', sum[3])
  end
end
for _, sum in ipairs(arg.ended) do count_fate(ledger, receiver, sum[1], sum[2], sum[3]) end
for _, sum in ipairs(arg.known) do
  local state = redis.call('HGET', contents .. sum[2], 'state')
  if state == 'open' or state == 'failed' then  -- they share its end, also after it is sent again
    redis.call('HINCRBY', contents .. sum[2], sum[1] .. '\tcopies', sum[3])
    count_fate(ledger, receiver, sum[1], state, sum[3])
  else count_fate(ledger, receiver, sum[1], 'copies', sum[3]) end
end
for _, fate in ipairs(arg.fates) do
  redis.call('HSET', record .. fate[1], 'group:' .. arg.group, fate[2] .. '\t' .. now .. '\t' .. fate[3])
  redis.call('PEXPIRE', record .. fate[1], arg.kept_ms)
end
tally(ledger, 'silenced', arg.silenced)
-- A story is escalated once by its group: a further alert about it has the same id.
local escalated = 0
for _, delivery in ipairs(arg.escalations) do
  local message = next_bytes()
  if redis.call('EXISTS', out .. delivery.id) == 0 and not redis.call('ZSCORE', sent, delivery.id) then
    wait_for_answer(out, later, boxes, delivery, message, now + delivery.after_ms)
    escalated = escalated + 1
  end
end
tally(ledger, 'queued', #arg.deliveries + escalated)
if #arg.deliveries > 0 then
  redis.call('HSET', base, 'told', arg.end_ms, 'plan', arg.plan)
  redis.call('HDEL', base, 'silenced')
  local hour = quota .. math.floor(now / 3600000)
  redis.call('INCR', hour)
  redis.call('PEXPIRE', hour, 7200000)
elseif arg.silenced > 0 then redis.call('HINCRBY', base, 'silenced', arg.silenced) end
return {'OK'}
