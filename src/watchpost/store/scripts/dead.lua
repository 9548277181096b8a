-- DEAD: an article or a delivery failed for good and becomes a dead letter.
-- KEYS 1 its stream, 2 dead stream, 3 counts of dead letters, 4 ledger, 5 out hash, 6 prefix of contents (these two only for a
--      delivery)
-- ARGV 1 JSON: group (of consumers); entry (its id); kept_ms (ttl of a dead delivery); letter (a list field, value, …)
--      2 (only for an article) its bytes
-- returns {'OK'} | {'GONE'} another worker has decided: nothing was written
local stream, dead, counts, ledger, out, contents = unpack(KEYS)
local arg = cjson.decode(ARGV[1])
if redis.call('XACK', stream, arg.group, arg.entry) == 0 then return {'GONE'} end
redis.call('XDEL', stream, arg.entry)
if ARGV[2] then
  arg.letter[#arg.letter + 1] = 'payload'
  arg.letter[#arg.letter + 1] = ARGV[2]
end
add_letter(dead, counts, arg.letter)
if not out then
  tally(ledger, 'dead_articles', 1)
elseif redis.call('EXISTS', out) == 1 then
  redis.call('HSET', out, 'state', 'dead')
  redis.call('PEXPIRE', out, arg.kept_ms)
  tally(ledger, 'dead', 1)
  tally(ledger, 'ended', 1)
  local held = redis.call('HGET', out, 'contents')
  if held then end_delivery(ledger, contents .. held, false, now_ms()) end
end
return {'OK'}
