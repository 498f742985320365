-- What every script of the cluster state begins with: its keys, its clock, and how entries are written and read.

-- servers  hash: id -> "<beat at>\n<instance>\n<record>"
-- traces   hash: id -> lines "h <stream>" for what it holds, "o <term> <stream>" for what it announced as origin
-- seen     sorted set: ids by the time of their last beat
-- streams  hash: name -> "<held|left|ended> <announced at> <term> <origin>\n<record>"; no record before the first beat
-- changes  sorted set: names of streams by the time when one was claimed, first announced or ended, of which traces may not speak
-- holders  sorted set of equal scores, which is an index by prefix: "<stream>\n<id>"
-- plan     hash: id -> assignment
-- planned  sorted set: ids by the time when their assignment changed
-- drains   hash: id -> what an operator wants of it
-- ushers   hash: usher -> "<reported at> <sequence>\n<demand>"
-- reported sorted set: ushers by the time of their last report
-- shares   hash: resource -> who holds how much of it, as lease.lua reads it
-- leased   sorted set: resources by the time of the last report that named them
-- spent    hash: CDN -> micro-dollars of the month
-- accounts hash: name of an uplink -> account
-- meta     hash: heard, since, paused (ms); leader, term, renewed (ms); planTerm; run, runSince (ms); month (ms)
local servers, traces, seen, streams, changes, holders, plan, planned, drains, ushers, reported, shares, leased, spent, accounts, meta = unpack(KEYS)

-- The state's own clock, ms since the Unix epoch, unless the caller brings one.
local function clock(given)
  if given ~= '' then return tonumber(given) end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local now = clock(ARGV[1])
local SILENCE, PAUSE = tonumber(ARGV[2]), tonumber(ARGV[3])
local FORGET, LEASE = tonumber(ARGV[4]), tonumber(ARGV[5])
local CHANNEL = ARGV[6] -- What a server's id follows, where it hears that there is something new for it.
local FIRST = 7 -- The first argument that is the verb's own.
local KINDS = { held = true, left = true, ended = true }
-- Work left behind by the dead that one verb clears away at most.
local CLEARED = 8

-- Where Redis does not let us say it, the server's next beat is told.
local function tell(id)
  redis.pcall('PUBLISH', CHANNEL .. id, '')
end

local function within(at, limit)
  return math.abs(now - at) < limit
end

-- Since when the state hears, and when it heard the last word before that, as `hearingAt` in liveness.ts says it.
local function hearing()
  local stored = redis.call('HMGET', meta, 'heard', 'since', 'paused')
  local heard = tonumber(stored[1] or nil)
  if not heard then return now, 0 end
  if not within(heard, PAUSE) then return now, heard end
  return tonumber(stored[2] or 0) or 0, tonumber(stored[3] or 0) or 0
end

local since, paused = hearing()

-- Said by who speaks regularly: that nobody could be heard for a while is known from it.
local function hear()
  redis.call('HSET', meta, 'heard', now, 'since', since, 'paused', paused)
end

-- As `isAlive` in liveness.ts.
local function isAlive(at)
  return within(at, SILENCE) or (within(since, SILENCE) and math.abs(paused - at) < SILENCE)
end

local function garbage(field, key)
  return redis.error_reply("BADSTATE '" .. field .. "' in " .. key .. ' makes no sense')
end

-- Nil when there is none (any more), or none that makes sense: the next beat writes it anew.
local function readServer(id)
  local entry = redis.call('HGET', servers, id)
  if not entry then return nil end
  local _, _, at, instance = string.find(entry, '^(%d+)\n([^\n]*)\n')
  if not at or not within(tonumber(at), FORGET) then return nil end
  return { at = tonumber(at), instance = instance, entry = entry }
end

-- Whether an id belongs to another living process than the caller.
local function isTaken(server, instance)
  return server and server.instance ~= instance and isAlive(server.at)
end

-- Nil when the stream is not known (any more); an entry without a kind is garbage.
local function readStream(name)
  local entry = redis.call('HGET', streams, name)
  if not entry then return nil end
  local _, head, kind, at, term, origin = string.find(entry, '^(%l+) (%d+) (%d+) ([^\n]*)\n')
  if not KINDS[kind] then return { entry = entry } end
  if not within(tonumber(at), FORGET) then return nil end
  local record = string.sub(entry, head + 1)
  return { kind = kind, at = tonumber(at), term = tonumber(term), origin = origin, record = record, entry = entry }
end

local function writeStream(name, kind, term, origin, record)
  redis.call('HSET', streams, name, string.format('%s %.0f %.0f %s\n%s', kind, now, term, origin, record))
end

-- A term grows for ever, also past a loss of everything that was stored.
local function termAfter(last)
  return math.max(now, last + 1)
end

-- Ends the claim by which a server announced a stream, if no later one has replaced it.
local function release(id, line, kind)
  local term, name = string.match(line, '^o (%d+) (.*)$')
  if not name then return end
  local stream = readStream(name)
  if not stream then
    redis.call('HDEL', streams, name)
  elseif stream.origin == id and stream.term == tonumber(term) then
    writeStream(name, kind, stream.term, id, stream.record)
    redis.call('ZADD', changes, now, name)
  end
end

-- Takes back one line of a server's trace.
local function erase(id, line, kind)
  if string.sub(line, 1, 1) == 'h' then
    redis.call('ZREM', holders, string.sub(line, 3) .. '\n' .. id)
  else
    release(id, line, kind)
  end
end

local function forgetServer(id, kind)
  for line in string.gmatch(redis.call('HGET', traces, id) or '', '[^\n]+') do
    erase(id, line, kind)
  end
  redis.call('HDEL', servers, id)
  redis.call('HDEL', traces, id)
  redis.call('HDEL', plan, id)
  redis.call('ZREM', planned, id)
  redis.call('HDEL', drains, id)
  redis.call('ZREM', seen, id)
end

local function forgetStream(name)
  if not readStream(name) then redis.call('HDEL', streams, name) end
  redis.call('ZREM', changes, name)
end

-- Clears away a little of what was forgotten long ago: each beat and lead does, so that nothing grows and none takes long.
local function forgetSome()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', seen, '-inf', now - FORGET, 'LIMIT', 0, CLEARED)) do
    forgetServer(id, 'left')
  end
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', changes, '-inf', now - FORGET, 'LIMIT', 0, CLEARED)) do
    forgetStream(name)
  end
end
