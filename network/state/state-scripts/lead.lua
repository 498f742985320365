-- Takes or keeps the lead among ushers. ARGV: usher, its term or "", then of each change of the plan a server and its assignment or "".

local usher, term = ARGV[FIRST], ARGV[FIRST + 1]
hear()
local stored = redis.call('HMGET', meta, 'leader', 'term', 'renewed')
local leader, leaderTerm, renewed = stored[1], tonumber(stored[2] or 0), tonumber(stored[3] or 0)
if not leaderTerm or not renewed then return garbage('term or renewed', meta) end
local isLed = leader and within(renewed, LEASE)
local isLeader = leader == usher

local function following()
  return { 'following', isLed and leader or false, leaderTerm }
end

if term == '' then
  if isLed and not isLeader then return following() end
  term = termAfter(leaderTerm)
else
  term = tonumber(term)
  if not isLeader or term ~= leaderTerm then return following() end
end

redis.call('HSET', meta, 'leader', usher, 'term', string.format('%.0f', term), 'renewed', string.format('%.0f', now))
local function isKnown(id)
  local at = redis.call('ZSCORE', seen, id)
  return at and within(tonumber(at), FORGET)
end

for at = FIRST + 2, #ARGV, 2 do
  local id, assignment = ARGV[at], ARGV[at + 1]
  if assignment == '' then
    redis.call('HDEL', plan, id)
  elseif isKnown(id) then
    redis.call('HSET', plan, id, assignment)
  end
end
if #ARGV > FIRST + 1 then redis.call('HSET', meta, 'planTerm', string.format('%.0f', term)) end
forgetSome()
return { 'leading', term }
