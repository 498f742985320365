-- Makes a server the origin of a stream. ARGV: name, id, instance, "1" for a takeover.

local name, id, instance, takeover = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2], ARGV[FIRST + 3]
if isTaken(readServer(id), instance) then return { 'taken' } end

local stream = readStream(name)
if stream and not stream.kind then return garbage(name, streams) end
local isHeld = stream and stream.origin ~= id and stream.kind == 'held' and isAlive(stream.at)
if isHeld and takeover ~= '1' then return { 'held', stream.origin, stream.term } end

local term = termAfter(stream and stream.term or 0)
writeStream(name, 'held', term, id, stream and stream.record or '')
redis.call('ZADD', changes, now, name)
if isHeld then tell(stream.origin) end
return { 'claimed', term, { now, since, paused }, stream and stream.entry or false }
