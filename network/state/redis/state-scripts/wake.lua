-- Tells whoever leads that there is more to plan than its next turn can wait for.

local leader, renewed = unpack(redis.call('HMGET', meta, 'leader', 'renewed'))
renewed = tonumber(renewed or nil)
if leader and renewed and within(renewed, LEASE) then tell(leader) end
return 1
