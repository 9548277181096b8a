-- RIGHTS: which of these calls the server would refuse this user. It runs none of them and writes nothing.
-- ARGV 1 JSON: calls ([command, argument, …] each)
-- returns the positions of those refused, from 1
-- https://redis.io/docs/latest/develop/programmability/lua-api/#redis.acl_check_cmd
local refused = {}
if not redis.acl_check_cmd then return refused end
for i, call in ipairs(cjson.decode(ARGV[1]).calls) do
  if not redis.acl_check_cmd(unpack(call)) then refused[#refused + 1] = i end
end
return refused
