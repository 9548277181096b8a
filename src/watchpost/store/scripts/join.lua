-- JOIN: a story belongs to an event. All matchers decide in one order: the caller names the last decision that it knows,
-- and if there is a later one, it reads that first and decides again.
-- KEYS 1 stream of stories that wait for their event, 2 stream of decisions, 3 key of the story's event,
--      4 zset of the event's stories, 5 zset of the stories of the event before, or 4 again
-- ARGV 1 JSON: entry (in the waiting stream; '' if a person decides), last (the last decision that is known, '' for
--      none), story, event, certain, like, reasons (text), harm (text) and outlet ('' leaves what is known), by,
--      window_ms (decisions), kept_ms (what is decided)
--      2 what the article says, 3 its vector
-- returns {'OK'} | {'GONE'} another matcher had the story | {'AGAIN'} there is a later decision | {'KNOWN'} it was decided
local waiting, decisions, of_story, of_event, of_former = unpack(KEYS)
local arg, now = cjson.decode(ARGV[1]), now_ms()
local newest = redis.call('XREVRANGE', decisions, '+', '-', 'COUNT', 1)[1]
if newest and newest[1] ~= arg.last then return {'AGAIN'} end
if arg.entry ~= '' then
  if redis.call('XACK', waiting, 'match', arg.entry) == 0 then return {'GONE'} end
  redis.call('XDEL', waiting, arg.entry)
  if redis.call('EXISTS', of_story) == 1 then return {'KNOWN'} end
end
local oldest = string.format('%d-0', now - arg.window_ms)
redis.call('XADD', decisions, 'MINID', '~', oldest, '*', 's', arg.story, 'e', arg.event,
  'w', ARGV[2], 'v', ARGV[3], 'c', arg.certain and '1' or '')
if redis.call('XLEN', decisions) > 20000 then
  for _, entry in ipairs(redis.call('XRANGE', decisions, '-', '+', 'COUNT', 8)) do
    redis.call('XDEL', decisions, entry[1])
  end
end
redis.call('HSET', of_story, 'event', arg.event, 'certain', arg.certain and '1' or '', 'like', arg.like,
  'reasons', arg.reasons, 'by', arg.by, 'at', now)
if arg.harm ~= '' then redis.call('HSET', of_story, 'harm', arg.harm, 'outlet', arg.outlet) end
redis.call('PEXPIRE', of_story, arg.kept_ms)
redis.call('ZREM', of_former, arg.story)
redis.call('ZADD', of_event, now, arg.story)
redis.call('PEXPIRE', of_event, arg.kept_ms)
return {'OK'}
