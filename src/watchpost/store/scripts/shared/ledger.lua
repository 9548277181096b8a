-- Prefixed to every script: adds to the ledger in the very step that moves the thing it counts.
-- The totals run for ever; each day (UTC, by the server's clock) has its own page, kept for 90 days.
local function tally(prefix, field, number)
  if number == 0 then return end
  local page = prefix .. math.floor(now_ms() / 86400000)
  redis.call('HINCRBY', prefix .. 'total', field, number)
  if redis.call('HINCRBY', page, field, number) == number then redis.call('PEXPIRE', page, 7776000000) end
end
