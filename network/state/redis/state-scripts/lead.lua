-- Takes or keeps the lead among ushers. ARGV: usher, its term or "", "1" to give it back, how many changes of the plan there are, then of each a server
-- and its assignment or "", and of each change of the accounts an uplink and its account or "".

local usher, term, resigns, planCount = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2], tonumber(ARGV[FIRST + 3])
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

local firstAccount = FIRST + 4 + 2 * planCount
for at = FIRST + 4, firstAccount - 1, 2 do
  local id, assignment = ARGV[at], ARGV[at + 1]
  if assignment == '' then
    redis.call('HDEL', plan, id)
    redis.call('ZREM', planned, id)
  elseif isKnown(id) then
    redis.call('HSET', plan, id, assignment)
    redis.call('ZADD', planned, now, id)
    tell(id)
  end
end
for at = firstAccount, #ARGV, 2 do
  if ARGV[at + 1] == '' then redis.call('HDEL', accounts, ARGV[at]) else redis.call('HSET', accounts, ARGV[at], ARGV[at + 1]) end
end
if planCount > 0 then redis.call('HSET', meta, 'planTerm', string.format('%.0f', term)) end
forgetSome()
if resigns == '1' then
  redis.call('HDEL', meta, 'leader')
  return { 'following', false, term }
end
return { 'leading', term }
