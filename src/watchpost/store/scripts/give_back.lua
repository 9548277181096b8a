-- GIVE_BACK: work that was begun and broken off on purpose is as if it had never been taken.
-- KEYS 1 stream   ARGV 1 group, 2 entry id, then field, value … of the entry
-- returns {'OK'} | {'GONE'} another worker has it
if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return {'GONE'} end
redis.call('XDEL', KEYS[1], ARGV[2])
local entry = {'XADD', KEYS[1], '*'}
for i = 3, #ARGV do entry[#entry + 1] = ARGV[i] end
redis.call(unpack(entry))
return {'OK'}
