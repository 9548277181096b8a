-- GIVE_BACK: an entry whose work was cut short on purpose goes back as if it had never been claimed.
-- KEYS 1 stream   ARGV 1 group, 2 entry id
-- returns {'OK'} | {'GONE'} another worker has it
local entry = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 or not entry then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('XADD', KEYS[1], '*', unpack(entry[2]))
return {'OK'}
