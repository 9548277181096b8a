-- A host's hash has a place for each visit that may be under way there: the fields held and holder, held2 and holder2, …
-- up to 16. `held` is when the holder loses its place.
local HOST_PLACES = 16
local function place(k, field) return k == 1 and field or field .. string.format('%d', k) end

-- The holders, and until when each has its place, of the first n places; '' and 0 where there is none.
local function host_places(host, n, sane)
  local fields, places = {}, {}
  for k = 1, n do
    fields[2 * k - 1], fields[2 * k] = place(k, 'held'), place(k, 'holder')
  end
  local found = redis.call('HMGET', host, unpack(fields))
  for k = 1, n do places[k] = {sane(found[2 * k - 1]), found[2 * k] or ''} end
  return places
end

-- Release every place of this holder; returns whether it had one.
local function leave_host(host, holder)
  local left = false
  for k, at in ipairs(host_places(host, HOST_PLACES, function(text) return text or 0 end)) do
    if at[2] == holder then
      redis.call('HDEL', host, place(k, 'held'), place(k, 'holder'))
      left = true
    end
  end
  return left
end
