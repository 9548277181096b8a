-- PUSH_ASK: expect a hub to push a feed to this callback.
-- KEYS 1 push hash   ARGV 1 ms to keep it, 2 feed, 3 topic
-- returns 1
redis.call('HSET', KEYS[1], 'feed', ARGV[2], 'topic', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
