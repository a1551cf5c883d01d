// Keys of a shelf, all in one slot: 1 its state (`gen`, `bytes`, `seq`), 2 answers, 3 ids by their last use, 4 ids by their
// end, 5 members `group:kept:id`, which sort by age within their group, 6 facts of each id, 7 what is compared, by member.
// The first argument of each is the number of the last purge that the caller knows: a later one than the shelf's empties it,
// and what is asked and kept after it has that number.
const shelf = `
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local now = clock()
local function whole(number) return string.format('%.0f', number) end
local function dated(number) return string.format('%015.0f', number) end
local generation = tonumber(redis.call('HGET', KEYS[1], 'gen') or '0')
if tonumber(ARGV[1]) > generation then
  generation = tonumber(ARGV[1])
  redis.call('UNLINK', unpack(KEYS))
  redis.call('HSET', KEYS[1], 'gen', generation)
  redis.call('PEXPIRE', KEYS[1], 86400000)
end
local function factsOf(id)
  local facts = redis.call('HGET', KEYS[6], id)
  if not facts then return nil end
  local bytes, kept, ends, member = string.match(facts, '^(%d+) (%d+) (%d+) (.*)$')
  return { bytes = tonumber(bytes), kept = tonumber(kept), ends = tonumber(ends), member = member }
end
local function used(id) redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'seq', 1), id) end
local function drop(id)
  local facts = factsOf(id)
  redis.call('ZREM', KEYS[3], id)
  redis.call('ZREM', KEYS[4], id)
  if not facts then return end
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[6], id)
  redis.call('ZREM', KEYS[5], facts.member)
  redis.call('HDEL', KEYS[7], facts.member)
  redis.call('HINCRBY', KEYS[1], 'bytes', -facts.bytes)
end
local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, 1000)) do drop(id) end
end
`;

/**
 * Finds an answer. Arguments: id; the age in milliseconds from which on it is too old, `any` or `none`; the member that it
 * has to be, or nothing. Answers the generation, and of what is found its age, what is left of its time, and itself.
 */
export const findScript = `${shelf}
local facts = ARGV[3] ~= 'none' and factsOf(ARGV[2])
if not facts or facts.ends <= now then return { whole(generation) } end
if ARGV[3] ~= 'any' and now - facts.kept > tonumber(ARGV[3]) then return { whole(generation) } end
if ARGV[4] ~= '' and ARGV[4] ~= facts.member then return { whole(generation) } end
used(ARGV[2])
return { whole(generation), whole(now - facts.kept), whole(facts.ends - now), redis.call('HGET', KEYS[2], ARGV[2]) }`;

/** The members of a group, the newest first. Arguments: group, age as above, how many. */
export const listScript = `${shelf}
sweep()
local from = ARGV[3] == 'any' and '' or dated(math.max(0, now - tonumber(ARGV[3])))
return redis.call('ZREVRANGEBYLEX', KEYS[5], '[' .. ARGV[2] .. ':~', '[' .. ARGV[2] .. ':' .. from, 'LIMIT', 0, ARGV[4])`;

/** What is compared of members; the arguments are those. */
export const readScript = `${shelf}
local members = {}
for at = 2, #ARGV do members[at - 1] = ARGV[at] end
return redis.call('HMGET', KEYS[7], unpack(members))`;

/**
 * Keeps an answer, unless a purge came after it was asked for. Arguments: the generation in which that was, id, answer,
 * milliseconds, most entries, most bytes, its own bytes, group or nothing, what is compared.
 */
export const putScript = `${shelf}
local id, ttl, bytes = ARGV[3], tonumber(ARGV[5]), tonumber(ARGV[8])
if tonumber(ARGV[2]) ~= generation then return 0 end
sweep()
drop(id)
if bytes > tonumber(ARGV[7]) then return 0 end
local member = ARGV[9] == '' and '' or ARGV[9] .. ':' .. dated(now) .. ':' .. id
redis.call('HSET', KEYS[2], id, ARGV[4])
redis.call('HSET', KEYS[6], id, table.concat({ whole(bytes), whole(now), whole(now + ttl), member }, ' '))
redis.call('ZADD', KEYS[4], now + ttl, id)
used(id)
if member ~= '' then
  redis.call('ZADD', KEYS[5], 0, member)
  redis.call('HSET', KEYS[7], member, ARGV[10])
end
local total = redis.call('HINCRBY', KEYS[1], 'bytes', bytes)
-- Where the bounds have become much smaller, the rest goes with the next ones, so that nobody waits long for this.
for _ = 1, 1000 do
  if redis.call('ZCARD', KEYS[3]) <= tonumber(ARGV[6]) and total <= tonumber(ARGV[7]) then break end
  drop(redis.call('ZRANGE', KEYS[3], 0, 0)[1])
  total = tonumber(redis.call('HGET', KEYS[1], 'bytes'))
end
for at, key in ipairs(KEYS) do
  local life = ttl + (at == 1 and 86400000 or 0)
  if redis.call('PTTL', key) < life then redis.call('PEXPIRE', key, life) end
end
return 1`;

/** Empties a shelf of what was kept before the purge. */
export const purgeScript = `${shelf}
return whole(generation)`;
