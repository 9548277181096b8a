-- DONE: a delivery arrived; the same round trip claims the next one. Idempotent: a second call changes nothing.
-- KEYS 1 outbox stream, 2 out hash, 3 sent zset, 4 prefix of out, 5 thread, 6 ledger,
--      7 editions stream: the messages that arrived last, 8 prefix of contents
-- ARGV 1 entry id, 2 delivery id, 3 ttl of sent ms, 4 consumer that claims the next ('' = none),
--      5 what to remember of the thread ('' = nothing new), kept as long as the id
-- returns {} | {entry id, delivery id, {field, value, …} of its out hash}
local now = now_ms()
redis.call('XACK', KEYS[1], 'notify', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
local was = redis.call('HMGET', KEYS[2], 'receiver', 'digest', 'created', 'attempts', 'message',
  'contents')
if redis.call('DEL', KEYS[2]) == 1 then
  redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[2])
  tally(KEYS[6], 'sent', 1)
  tally(KEYS[6], 'ended', 1)
  if was[6] then end_delivery(KEYS[6], KEYS[8] .. was[6], ARGV[2], now) end
  local message = was[5] or ''
  if #message > 65536 then message = '' end  -- too large to be stored a second time
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', 1000, '*', 'd', ARGV[2], 'receiver', was[1] or '', 'digest', was[2] or '',
    'created', was[3] or '0', 'attempts', was[4] or '0', 'message', message)
end
if ARGV[5] ~= '' then redis.call('SET', KEYS[5], ARGV[5], 'PX', ARGV[3]) end
if ARGV[4] == '' or redis.call('EXISTS', KEYS[1]) == 0 then return {} end
-- An older delivery that is claimed goes first.
if #redis.call('XPENDING', KEYS[1], 'notify', '-', '+', 1) > 0 then return {} end
local answer = redis.call('XREADGROUP', 'GROUP', 'notify', ARGV[4], 'COUNT', 1, 'STREAMS', KEYS[1], '>')
if not answer or not answer[1] then return {} end
local entry = answer[1][2][1]
return {entry[1], entry[2][2], redis.call('HGETALL', KEYS[4] .. entry[2][2])}
