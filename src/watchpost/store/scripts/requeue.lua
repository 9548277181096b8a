-- REQUEUE: a dead letter goes back into its queue with the same bytes, and a delivery with the same id.
-- KEYS 1 dead stream, 2 articles stream, 3 out hash, 4 outbox stream, 5 open hash, 6 bucket, 7 channel of new hits,
--      8 ledger, 9 counts of dead letters, 10 prefix of contents
-- ARGV 1 id of the dead letter, 2 group of a hit
-- returns {'OK'} | {'GONE'} there is no such letter, or nothing is left of its delivery
local dead, articles, out, outbox, open, bucket, channel, ledger, counts, contents = unpack(KEYS)
local entry = redis.call('XRANGE', dead, ARGV[1], ARGV[1])[1]
if not entry then return {'GONE'} end
local letter = {}
for i = 1, #entry[2], 2 do letter[entry[2][i]] = entry[2][i + 1] end
if letter.kind == 'article' then
  redis.call('XADD', articles, '*', 'a', letter.payload)
  tally(ledger, 'requeued_articles', 1)
elseif letter.kind == 'hit' then
  if ARGV[2] == '' then return {'GONE'} end
  redis.call('RPUSH', bucket, letter.payload)
  redis.call('HSETNX', open, ARGV[2], now_ms())
  redis.pcall('PUBLISH', channel, '')  -- a hint, as in matched.lua
  tally(ledger, 'requeued_hits', 1)
  -- Its topic is unknown. One that failed under an earlier version was not counted.
  local receiver = receiver_of(ARGV[2])
  if tonumber(redis.call('HGET', ledger .. 'fates', receiver .. '\t\tfailed') or '0') > 0 then
    count_fate(ledger, receiver, '', 'failed', -1)
    count_fate(ledger, receiver, '', 'waiting', 1)
  end
else
  if redis.call('HGET', out, 'state') ~= 'dead' then return {'GONE'} end
  redis.call('PERSIST', out)
  redis.call('HSET', out, 'state', 'queued', 'spent', redis.call('HGET', out, 'attempts'))
  redis.call('HINCRBY', out, 'replays', 1)
  redis.call('XADD', outbox, '*', 'd', letter.id)
  tally(ledger, 'requeued', 1)
  local held = redis.call('HGET', out, 'contents')
  if held then reopen_delivery(ledger, contents .. held) end
end
take_letter(dead, counts, ARGV[1])
return {'OK'}
