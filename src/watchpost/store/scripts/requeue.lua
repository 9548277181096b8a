-- REQUEUE: a dead letter goes on its way again, as it was: the same bytes, and for a delivery the same id.
-- KEYS 1 dead stream, 2 articles stream, 3 out hash, 4 outbox stream, 5 open hash, 6 bucket, 7 channel of the hint, 8 ledger,
--      9 numbers of dead letters
-- ARGV 1 letter, 2 group of a hit
-- returns {'OK'} | {'GONE'} there is no such letter (any more), or nothing is left of what it speaks of
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if not found[1] then return {'GONE'} end
local letter = {}
for i = 1, #found[1][2], 2 do letter[found[1][2][i]] = found[1][2][i + 1] end
if letter.kind == 'article' then
  redis.call('XADD', KEYS[2], '*', 'a', letter.payload)
  tally(KEYS[8], 'requeued_articles', 1)
elseif letter.kind == 'hit' then
  if ARGV[2] == '' then return {'GONE'} end
  redis.call('RPUSH', KEYS[6], letter.payload)
  redis.call('HSETNX', KEYS[5], ARGV[2], now_ms())
  redis.call('PUBLISH', KEYS[7], '')
  tally(KEYS[8], 'requeued_hits', 1)
else
  if redis.call('HGET', KEYS[3], 'state') ~= 'dead' then return {'GONE'} end
  redis.call('PERSIST', KEYS[3])
  redis.call('HSET', KEYS[3], 'state', 'queued', 'spent', redis.call('HGET', KEYS[3], 'attempts'))
  redis.call('HINCRBY', KEYS[3], 'replays', 1)
  redis.call('XADD', KEYS[4], '*', 'd', letter.id)
  tally(KEYS[8], 'requeued', 1)
end
take_letter(KEYS[1], KEYS[9], ARGV[1])
return {'OK'}
