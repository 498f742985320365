-- Where a stream is. ARGV: name. Gives how the state hears, the stream's entry, then id and entry of each server
-- that is alive and was its origin or a holder when it beat last; what they hold is in their records.

local name = ARGV[FIRST]
local stream = readStream(name)
if not stream or stream.kind == 'ended' then return false end

local answer = { { now, since, paused }, stream.entry }
local function add(id)
  local server = readServer(id)
  if server and isAlive(server.at) then
    answer[#answer + 1] = id
    answer[#answer + 1] = server.entry
  end
end

if stream.origin then add(stream.origin) end
-- All members that begin with the name and a newline: the vertical tab is the character after that.
for _, member in ipairs(redis.call('ZRANGEBYLEX', holders, '[' .. name .. '\n', '(' .. name .. '\v')) do
  local id = string.sub(member, #name + 2)
  if id ~= stream.origin then add(id) end
end
return answer
