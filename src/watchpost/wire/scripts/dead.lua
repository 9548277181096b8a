-- DEAD: something cannot be done, and is kept with the reason where people look for it.
-- KEYS 1 its stream, 2 dead stream, 3 ledger, 4 (only for a delivery) out hash
-- ARGV 1 consumer group, 2 entry id, 3 ttl of a dead delivery ms, then field, value … of the dead letter
-- returns {'OK'} | {'GONE'} another worker has decided: nothing was written
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[2])
local letter = {'XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'at', now_ms()}
for i = 4, #ARGV do letter[#letter + 1] = ARGV[i] end
redis.call(unpack(letter))
if not KEYS[4] then
  tally(KEYS[3], 'dead_articles', 1)
elseif redis.call('EXISTS', KEYS[4]) == 1 then
  redis.call('HSET', KEYS[4], 'state', 'dead')
  redis.call('PEXPIRE', KEYS[4], ARGV[3])
  tally(KEYS[3], 'dead', 1)
end
return {'OK'}
