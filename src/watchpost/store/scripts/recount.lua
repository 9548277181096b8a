-- RECOUNT: counts the dead letters of each queue again if the counts do not add up: an older version did not keep them.
-- KEYS 1 dead stream, 2 hash of the counts
-- returns how many letters were counted: 0 if the counts were right
local sum, from = 0, '-'
for _, number in ipairs(redis.call('HVALS', KEYS[2])) do sum = sum + number end
if sum == redis.call('XLEN', KEYS[1]) then return 0 end
redis.call('DEL', KEYS[2])
sum = 0
while true do
  local page = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 100)
  if #page == 0 then return sum end
  for _, entry in ipairs(page) do redis.call('HINCRBY', KEYS[2], queue_of(entry[2]), 1) end
  sum, from = sum + #page, '(' .. page[#page][1]
end
