-- Lends an usher what it wants and nobody else holds. ARGV: usher, sequence, as of, demand; start of a month or "", how many CDNs follow
-- that it knows the spending of in it, how many that it spent on since, and of each its name and the amount; then of each resource its
-- name and in kbps its limit, used, held, wanted.

local usher, sequence, asOf, demand = ARGV[FIRST], tonumber(ARGV[FIRST + 1]), tonumber(ARGV[FIRST + 2]), ARGV[FIRST + 3]
local knownMonth, knownCount, spentCount = tonumber(ARGV[FIRST + 4]), tonumber(ARGV[FIRST + 5]), tonumber(ARGV[FIRST + 6])
local firstKnown = FIRST + 7
local firstSpent = firstKnown + 2 * knownCount
local firstWant = firstSpent + 2 * spentCount
-- Values that one command takes at once.
local MANY = 1000
-- More than new ones come.
local CLEARED_SHARES = 64

-- As `monthStartMs` in lease.ts: the day of the month by the calendar that begins in March of the year 0.
local function monthStart()
  local day = math.floor(now / 86400000)
  local inEra = (day + 719468) % 146097
  local year = math.floor((inEra - math.floor(inEra / 1460) + math.floor(inEra / 36524) - math.floor(inEra / 146096)) / 365)
  local inYear = inEra - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * inYear + 2) / 153)
  return (day - (inYear - math.floor((153 * month + 2) / 5))) * 86400000
end

local function spend(month)
  local function total(cdn)
    return tonumber(redis.call('HGET', spent, cdn) or 0) or 0
  end
  for at = firstKnown, firstSpent - 1, 2 do
    local known = tonumber(ARGV[at + 1])
    if knownMonth == month and known > total(ARGV[at]) then redis.call('HSET', spent, ARGV[at], string.format('%.0f', known)) end
  end
  for at = firstSpent, firstWant - 1, 2 do
    redis.call('HSET', spent, ARGV[at], string.format('%.0f', total(ARGV[at]) + tonumber(ARGV[at + 1])))
  end
end

-- For how long whoever may hold something has yet to say so, since this Redis runs, and since the state hears.
local function unsettled()
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
  local stored = redis.call('HMGET', meta, 'run', 'runSince')
  local runSince = tonumber(stored[2] or nil)
  if stored[1] ~= run or not runSince then
    runSince = now
    redis.call('HSET', meta, 'run', run, 'runSince', string.format('%.0f', now))
  end
  return math.max(0, LEASE - math.abs(now - runSince), LEASE - math.abs(now - since))
end

-- A share is "<reported at> <as of> <used>" and of each slice a line "<usher> <kbps> <at>". Gives what the newest snapshot said is used,
-- and what others hold, as a sum and as lines.
local function readShare(text, used)
  local shareAsOf, othersKbps, lines = asOf, 0, {}
  local head, at, last, lastUsed = string.match(text, '^((%d+) (%d+) (%d+))')
  if not head or not within(tonumber(at), LEASE) then return shareAsOf, used, othersKbps, lines end
  local age, seen = asOf - tonumber(last), tonumber(lastUsed)
  if (age < 0 or age == 0 and seen > used) and within(tonumber(last), LEASE) then shareAsOf, used = tonumber(last), seen end
  for line, other, kbps, heldAt in string.gmatch(text, '\n(([^\n ]*) (%d+) (%d+))') do
    if other ~= usher and within(tonumber(heldAt), LEASE) then
      othersKbps = othersKbps + tonumber(kbps)
      lines[#lines + 1] = line
    end
  end
  return shareAsOf, used, othersKbps, lines
end

-- As `slice` in lease.ts. Gives what is granted, and the share with what is kept.
local function grant(at, text, settled)
  local limit, used, held, want = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local shareAsOf, newestUsed, othersKbps, lines = readShare(text, used)
  local most = settled and want or math.min(want, held)
  local granted = math.max(0, math.min(most, limit - newestUsed - othersKbps))
  lines[#lines + 1] = string.format('%s %.0f %.0f', usher, math.max(granted, math.min(want, held)), now)
  return granted, string.format('%.0f %.0f %.0f\n%s', now, shareAsOf, newestUsed, table.concat(lines, '\n'))
end

local function grantAll(settled)
  local granted = {}
  for first = firstWant, #ARGV, 5 * MANY do
    local last = math.min(first + 5 * MANY - 1, #ARGV)
    local names = {}
    for at = first, last, 5 do names[#names + 1] = ARGV[at] end
    local texts = redis.call('HMGET', shares, unpack(names))
    local written, times = {}, {}
    for index, name in ipairs(names) do
      local kbps, text = grant(first + 5 * (index - 1), texts[index] or '', settled)
      granted[#granted + 1] = kbps
      written[#written + 1], written[#written + 2] = name, text
      times[#times + 1], times[#times + 2] = now, name
    end
    redis.call('HSET', shares, unpack(written))
    redis.call('ZADD', leased, unpack(times))
  end
  return granted
end

-- Clears away a little of what nobody holds any more.
local function forgetLent()
  for _, usher in ipairs(redis.call('ZRANGEBYSCORE', reported, '-inf', now - LEASE, 'LIMIT', 0, CLEARED)) do
    redis.call('HDEL', ushers, usher)
    redis.call('ZREM', reported, usher)
  end
  for _, resource in ipairs(redis.call('ZRANGEBYSCORE', leased, '-inf', now - LEASE, 'LIMIT', 0, CLEARED_SHARES)) do
    redis.call('HDEL', shares, resource)
    redis.call('ZREM', leased, resource)
  end
end

hear()
local month = monthStart()
if tonumber(redis.call('HGET', meta, 'month') or 0) ~= month then
  redis.call('DEL', spent)
  redis.call('HSET', meta, 'month', string.format('%.0f', month))
end
local unsettledMs = unsettled()
local at, last = string.match(redis.call('HGET', ushers, usher) or '', '^(%d+) (%d+)\n')
local isLate = at and within(tonumber(at), LEASE) and tonumber(last) >= sequence
local granted = {}
if not isLate then
  redis.call('HSET', ushers, usher, string.format('%.0f %.0f\n%s', now, sequence, demand))
  redis.call('ZADD', reported, now, usher)
  spend(month)
  granted = grantAll(unsettledMs == 0)
end
forgetLent()
return { month, redis.call('HGETALL', spent), granted, unsettledMs }
