-- PUSH_APPEND: store what a hub sent, before the hub gets its answer.
-- KEYS 1 pushed stream   ARGV 1 limit of the stream, 2 kind, 3 feed, 4 seconds of the lease, 5 note, 6 body
-- returns 1, or 0: the stream is full, nothing was written
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('XADD', KEYS[1], '*', 'k', ARGV[2], 'f', ARGV[3], 'l', ARGV[4], 'n', ARGV[5], 'b', ARGV[6])
return 1
