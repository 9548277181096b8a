-- DEAD: something cannot be done, and is kept with the reason where people look for it.
-- KEYS 1 its stream, 2 dead stream, 3 numbers of dead letters, 4 ledger, 5 (only for a delivery) out hash
-- ARGV 1 consumer group, 2 entry id, 3 ttl of a dead delivery ms, then field, value … of the dead letter
-- returns {'OK'} | {'GONE'} another worker has decided: nothing was written
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[2])
add_letter(KEYS[2], KEYS[3], {unpack(ARGV, 4)})
if not KEYS[5] then
  tally(KEYS[4], 'dead_articles', 1)
elseif redis.call('EXISTS', KEYS[5]) == 1 then
  redis.call('HSET', KEYS[5], 'state', 'dead')
  redis.call('PEXPIRE', KEYS[5], ARGV[3])
  tally(KEYS[4], 'dead', 1)
end
return {'OK'}
