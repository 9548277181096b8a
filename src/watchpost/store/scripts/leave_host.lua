-- LEAVE_HOST: a request that TAKE_HOST allowed has ended; the gap to the next one stays.
-- KEYS 1 host hash   ARGV 1 holder
-- returns 1 if it held the host
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'held', 'holder')
return 1
