-- Prefixed to the scripts that add or remove dead letters: each is counted for its queue in the same step, so that
-- the counts can be shown without reading the letters. A letter is a flat list field, value, …; its queue is articles,
-- parked or outbox:RECEIVER. `dead` is the stream, `counts` the hash queue → number.
local MOST_LETTERS = 10000
local function queue_of(letter)
  local field = {}
  for i = 1, #letter, 2 do field[letter[i]] = letter[i + 1] end
  if field.kind == 'delivery' then return 'outbox:' .. (field.receiver or '') end
  return field.kind == 'hit' and 'parked' or 'articles'
end
local function take_letter(dead, counts, id)
  local entry = redis.call('XRANGE', dead, id, id)[1]
  if not entry then return nil end
  redis.call('XDEL', dead, id)
  local queue = queue_of(entry[2])
  if redis.call('HINCRBY', counts, queue, -1) <= 0 then redis.call('HDEL', counts, queue) end
  return entry[2]
end
local function add_letter(dead, counts, letter)
  redis.call('XADD', dead, '*', 'at', now_ms(), unpack(letter))
  redis.call('HINCRBY', counts, queue_of(letter), 1)
  while redis.call('XLEN', dead) > MOST_LETTERS do
    take_letter(dead, counts, redis.call('XRANGE', dead, '-', '+', 'COUNT', 1)[1][1])
  end
end
