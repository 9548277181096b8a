-- GATE: may a message go to this receiver now? Pauses and the breaker hold it whole; the pace is its host's.
-- KEYS 1 receiver hash, 2 pace   ARGV 1 pace ms (0 = none), 2 '1' = the message goes now: take the turn, 3 ms a trial may take
-- returns {wait ms (0 = go, -1 = disabled: a person must act), {field, value, …} of the receiver hash}
-- A wait of more than two hours was written while the clock was wrong: nobody is paused for longer than one.
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
-- A server without memory refuses these notes; what waits must go all the same, for that is what frees memory.
if trips then redis.pcall('HSET', KEYS[1], 'trial', now + ARGV[3]) end  -- half open: one goes, the others wait for its end
if pace > 0 then redis.pcall('SET', KEYS[2], now + pace, 'PX', pace) end
return {0, state}
