-- LEAVE_HOST: a request that TAKE_HOST allowed has ended; the gap to the next one stays.
-- KEYS 1 host hash   ARGV 1 holder
-- returns 1 if it held the host
return leave_host(KEYS[1], ARGV[1]) and 1 or 0
