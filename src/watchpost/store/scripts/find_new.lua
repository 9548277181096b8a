-- FIND_NEW: which entries were never committed. It writes nothing, and COMMIT decides.
-- KEYS 1 seen zset, 2 heads hash   ARGV 1 {ids}
-- returns a text of one sign for each id: '1' it was never seen, else '0'; then, flat, the number of each id that has a
-- head, from 0 on, and the head
local ids = cjson.decode(ARGV[1]).ids
local scores = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local heads = redis.call('HMGET', KEYS[2], unpack(ids))
local signs, found = {}, {}
for n = 1, #ids do
  signs[n] = scores[n] and '0' or '1'
  if heads[n] and heads[n] ~= '' then
    found[#found + 1] = n - 1
    found[#found + 1] = heads[n]
  end
end
return {table.concat(signs), found}
