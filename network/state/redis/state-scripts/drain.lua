-- What an operator wants of a server. ARGV: id, drain or "".

local id, wish = ARGV[FIRST], ARGV[FIRST + 1]
if not readServer(id) then return 'unknown' end
if wish == '' then redis.call('HDEL', drains, id) else redis.call('HSET', drains, id, wish) end
tell(id)
return 'known'
