-- GATE: may a message go to this receiver now? A pause or the circuit breaker holds all of its messages; the pace is
-- that of its host.
-- KEYS 1 receiver hash, 2 pace
-- ARGV 1 pace ms (0 = none), 2 '1' = the message goes now: claim the turn, 3 ms a trial may take
-- returns {wait ms (0 = go, -1 = disabled: an operator must act), {field, value, …} of the receiver hash}
-- No pause is longer than an hour: a wait of more than two was written while the clock was wrong.
local now, go = now_ms(), ARGV[2] == '1'
local state = redis.call('HGETALL', KEYS[1])
local disabled, till, trial, trips = unpack(redis.call('HMGET', KEYS[1], 'disabled', 'till', 'trial', 'trips'))
if disabled then return {-1, state} end
local function left(moment)
  local ms = (tonumber(moment) or 0) - now
  return (ms > 0 and ms < 7200000) and ms or 0
end
local wait = math.max(left(till), left(trial))
local pace = tonumber(ARGV[1])
if pace > 0 and go then wait = math.max(wait, math.min(left(redis.call('GET', KEYS[2])), pace)) end
if wait > 0 or not go then return {wait, state} end
-- A full server refuses these writes; the message goes all the same, because that is what frees memory.
-- Half open: one message goes, the others wait for its result.
if trips then redis.pcall('HSET', KEYS[1], 'trial', now + ARGV[3]) end
if pace > 0 then redis.pcall('SET', KEYS[2], now + pace, 'PX', pace) end
return {0, state}
