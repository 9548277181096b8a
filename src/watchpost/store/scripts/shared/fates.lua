-- Prefixed to the scripts that move hits: what became of them, in the hash `ledger` .. 'fates': receiver, topic and
-- state, with tabs between → hits. `came` is the sum of all others: waiting (in a group), over (beyond a limit, until a
-- message counts them), open (in messages that have not arrived), and the ends named, copies, left_out, silenced, failed.
-- contents:{id} is what those messages of one digest hold that show the same stories: state (open, arrived, failed),
-- open (how many may still arrive), ids, by (which arrived first), at (ms), and topic and fate with a tab → hits.
local CONTENTS_MS = 2592000000
local function count_fate(ledger, receiver, topic, state, number)
  if number ~= 0 then
    redis.call('HINCRBY', ledger .. 'fates', receiver .. '\t' .. topic .. '\t' .. state, number)
  end
end
local function receiver_of(group) return string.match(group, '^[^|]*') end
-- Hits that wait no longer. Those that an earlier version added were not counted; they come now.
local function leave(ledger, receiver, topic, state, number)
  local name = receiver .. '\t' .. topic .. '\t' .. state
  local counted = math.max(0, tonumber(redis.call('HGET', ledger .. 'fates', name) or '0'))
  count_fate(ledger, receiver, topic, state, -math.min(number, counted))
  count_fate(ledger, receiver, topic, 'came', math.max(0, number - counted))
end
local function move_contents(ledger, contents, from, to)
  local fields = redis.call('HGETALL', contents)
  local receiver = redis.call('HGET', contents, 'receiver')
  for i = 1, #fields, 2 do
    local topic, fate = string.match(fields[i], '^(.*)\t(.*)$')
    if topic then
      count_fate(ledger, receiver, topic, from or fate, -tonumber(fields[i + 1]))
      count_fate(ledger, receiver, topic, to or fate, tonumber(fields[i + 1]))
    end
  end
end
-- A delivery with these contents arrived (its id) or will not arrive (false).
local function end_delivery(ledger, contents, arrived, now)
  if redis.call('EXISTS', contents) == 0 then return end
  local open = redis.call('HINCRBY', contents, 'open', -1)
  if redis.call('HGET', contents, 'state') == 'open' then
    if arrived then
      redis.call('HSET', contents, 'state', 'arrived', 'by', arrived, 'at', now)
      move_contents(ledger, contents, 'open', nil)
    elseif open <= 0 then
      redis.call('HSET', contents, 'state', 'failed', 'at', now)
      move_contents(ledger, contents, 'open', 'failed')
    end
  end
  if open <= 0 then redis.call('PEXPIRE', contents, CONTENTS_MS) end
end
-- A delivery that failed for good is sent again.
local function reopen_delivery(ledger, contents)
  if redis.call('EXISTS', contents) == 0 then return end
  redis.call('HINCRBY', contents, 'open', 1)
  redis.call('PERSIST', contents)
  if redis.call('HGET', contents, 'state') == 'failed' then
    redis.call('HSET', contents, 'state', 'open')
    move_contents(ledger, contents, 'failed', 'open')
  end
end
