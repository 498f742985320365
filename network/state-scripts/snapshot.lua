-- The cluster at one instant. Gives the time, the hashes of servers, streams and plan, and since and planTerm.

local stored = redis.call('HMGET', meta, 'since', 'planTerm')
return {
  now,
  redis.call('HGETALL', servers),
  redis.call('HGETALL', streams),
  redis.call('HGETALL', plan),
  stored[1],
  stored[2],
}
