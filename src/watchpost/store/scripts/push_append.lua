-- PUSH_APPEND: keep what a hub sent, before it is told that we have it.
-- KEYS 1 pushed stream   ARGV 1 limit of the stream, then field, value …
-- returns 1, or 0: the stream is full, nothing was written
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', unpack(ARGV, 2))
return 1
