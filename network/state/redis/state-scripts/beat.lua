-- Announces a server. ARGV: id, instance, record, trace, what it says usher wants of it or ""; then of each of its streams name, term, record.

local id, instance, record, trace, wish = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2], ARGV[FIRST + 3], ARGV[FIRST + 4]

local function lines(text)
  local set = {}
  for line in string.gmatch(text, '[^\n]+') do set[line] = true end
  return set
end

-- Keeps the index by what changed since the beat before, and anew when the index was lost.
local function follow(before, kind)
  local first = string.match(trace, '^h ([^\n]*)')
  local isLost = first and not redis.call('ZSCORE', holders, first .. '\n' .. id)
  if before == trace and not isLost then return end
  local gone = lines(before)
  for line in string.gmatch(trace, '[^\n]+') do
    if string.sub(line, 1, 1) == 'h' and (isLost or not gone[line]) then
      redis.call('ZADD', holders, 0, string.sub(line, 3) .. '\n' .. id)
    end
    gone[line] = nil
  end
  for line in pairs(gone) do erase(id, line, kind) end
  redis.call('HSET', traces, id, trace)
end

-- Gives the later claim that stands against the announcement, if there is one of another server.
local function announce(name, term, text)
  local stream = readStream(name)
  local isOwn = stream and stream.origin == id and stream.term == term
  if not stream or not stream.kind or term > stream.term or isOwn then
    writeStream(name, 'held', term, id, text)
    if not isOwn then redis.call('ZADD', changes, now, name) end
  elseif stream.origin ~= id then
    return stream
  end
  return nil
end

hear()
local last = readServer(id)
if isTaken(last, instance) then return { 'taken' } end

if not last then
  forgetServer(id, 'left')
  if wish ~= '' then redis.call('HSET', drains, id, wish) end
end
redis.call('HSET', servers, id, string.format('%.0f\n%s\n%s', now, instance, record))
redis.call('ZADD', seen, now, id)
-- What a process that crashed was origin of has not ended: its broadcaster will look for another server.
local isSame = last and last.instance == instance
follow(redis.call('HGET', traces, id) or '', isSame and 'ended' or 'left')

local lost = {}
for at = FIRST + 5, #ARGV, 3 do
  local claim = announce(ARGV[at], tonumber(ARGV[at + 1]), ARGV[at + 2])
  if claim then
    for _, value in ipairs({ ARGV[at], claim.origin, claim.term }) do lost[#lost + 1] = value end
  end
end
forgetSome()
return { 'known', redis.call('HGET', plan, id), redis.call('HGET', drains, id), lost, now }
