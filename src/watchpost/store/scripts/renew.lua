-- RENEW: a worker lives and still holds these entries. An entry that was taken over meanwhile is not taken back.
-- KEYS 1 stream   ARGV 1 group, 2 consumer, then entry ids
-- returns how many are still held
local held = 0
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 3, #ARGV do
  if #redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1, ARGV[2]) > 0 then
    redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, ARGV[i], 'JUSTID')
    held = held + 1
  end
end
return held
