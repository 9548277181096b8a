-- DEAD: something cannot be done, and is kept with the reason where people look for it.
-- KEYS 1 its stream, 2 dead stream, 3 (only for a delivery) out hash
-- ARGV 1 consumer group, 2 entry id, 3 ttl of a dead delivery ms, then field, value … of the dead letter
-- returns {'OK'} | {'GONE'} another worker has decided: nothing was written
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[2])
local letter = {'XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'at', now_ms()}
for i = 4, #ARGV do letter[#letter + 1] = ARGV[i] end
redis.call(unpack(letter))
if KEYS[3] then
  redis.call('HSET', KEYS[3], 'state', 'dead')
  redis.call('PEXPIRE', KEYS[3], ARGV[3])
end
return {'OK'}
