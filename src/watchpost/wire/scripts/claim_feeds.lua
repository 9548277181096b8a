-- CLAIM_FEEDS: take up to n feeds that are due, each with a lease and a fence token.
-- KEYS 1 feeds zset, 2 prefix of the source hashes   ARGV 1 n, 2 lease ms
-- returns a list of {name, fence, {field, value, …}}
-- A claimed feed's score becomes the end of its lease: a poller that dies gives it back by silence.
-- A score more than two days ahead was written while the clock was wrong: such a feed is due, too.
local now, out = now_ms(), {}
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, ARGV[1])
if #due == 0 then due = redis.call('ZRANGEBYSCORE', KEYS[1], now + 172800000, '+inf', 'LIMIT', 0, ARGV[1]) end
for _, name in ipairs(due) do
  local state = KEYS[2] .. name
  local fence = redis.call('HINCRBY', state, 'fence', 1)
  redis.call('ZADD', KEYS[1], now + ARGV[2], name)
  out[#out + 1] = {name, tostring(fence), redis.call('HGETALL', state)}
end
return out
