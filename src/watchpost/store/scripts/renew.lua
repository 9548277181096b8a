-- RENEW: a worker still holds these entries. An entry that another worker has claimed meanwhile stays with it.
-- KEYS 1 stream   ARGV 1 JSON: group; consumer; entries (their ids)
-- returns how many are still held
local stream, arg, held = KEYS[1], cjson.decode(ARGV[1]), 0
if redis.call('EXISTS', stream) == 0 then return 0 end
for _, id in ipairs(arg.entries) do
  if #redis.call('XPENDING', stream, arg.group, id, id, 1, arg.consumer) > 0 then
    redis.call('XCLAIM', stream, arg.group, arg.consumer, 0, id, 'JUSTID')
    held = held + 1
  end
end
return held
