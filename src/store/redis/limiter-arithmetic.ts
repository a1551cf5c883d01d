/**
 * The arithmetic of `store/memory/`, once more in Lua, so that check and count are one step for all gateways. Numbers are
 * doubles there too, hence whole up to 2^53. Each counter is one key:
 *
 * - `rate`: a text `limit windowMs perUnit perMs taken atMs`
 * - `quota`: a text `startsAtMs windowMs used reserved`
 * - `concurrent`: a hash of `n` (places held), `e` (when the first may run out) and a field per lease, `untilMs units`
 *
 * Each key ends by itself a minute after nothing depends on it any more.
 */
export const limiterArithmetic = `
local MAX = 9007199254740991
local SLACK = 60000
local LONGEST = 3155760000000
local monotonic, wall = tonumber(ARGV[1]), tonumber(ARGV[2])
if not monotonic then
  local time = redis.call("TIME")
  monotonic = time[1] * 1000 + math.floor(time[2] / 1000)
  wall = monotonic
end

local function divideUp(dividend, divisor)
  local rest = math.fmod(dividend, divisor)
  return (dividend - rest) / divisor + (rest > 0 and 1 or 0)
end

local function numbers(text)
  local found = {}
  for word in string.gmatch(text, "%S+") do found[#found + 1] = tonumber(word) end
  return unpack(found)
end

local function keep(key, format, forMs, ...)
  redis.call("SET", key, string.format(format, ...), "PX", string.format("%.0f", math.min(forMs + SLACK, LONGEST)))
end

local types = {}

types.r = {
  load = function(key)
    local text = redis.call("GET", key)
    if not text then return { taken = 0, at = monotonic, isNew = true } end
    local state = {}
    state.limit, state.windowMs, state.perUnit, state.perMs, state.taken, state.at = numbers(text)
    state.taken = math.max(state.taken - math.max(monotonic - state.at, 0) * state.perMs, 0)
    state.at = math.max(monotonic, state.at)
    return state
  end,
  bring = function(state, rule)
    if state.limit == rule.limit and state.windowMs == rule.a then return end
    state.moved = not state.isNew
    if state.taken > 0 then
      state.taken = math.min(math.ceil((state.taken / state.perUnit) * rule.b), rule.d)
    end
    state.limit, state.windowMs, state.perUnit, state.perMs = rule.limit, rule.a, rule.b, rule.c
  end,
  add = function(state, rule, units)
    if units > rule.limit or units * rule.b > rule.d - state.taken then return false end
    state.taken = state.taken + units * rule.b
    return monotonic
  end,
  undo = function(state, rule, units) state.taken = state.taken - units * rule.b end,
  settle = function(state, rule, units, actual, mark)
    if state.isNew then types.r.bring(state, rule) end
    if actual > units then
      state.taken = math.min(state.taken + math.min((actual - units) * state.perUnit, MAX), MAX)
    elseif actual < units then
      local back = (units - actual) * state.perUnit - math.max(monotonic - mark, 0) * state.perMs
      if back > 0 then state.taken = math.max(state.taken - back, 0) end
    end
  end,
  clear = function(state) state.taken = 0 end,
  decide = function(state, rule, units, fits)
    local room = rule.d - state.taken
    local retry = 0
    if not fits then
      retry = rule.a
      if units and units <= rule.limit then retry = divideUp(math.max(units * rule.b - room, 0), rule.c) end
    end
    return math.max((room - math.fmod(room, rule.b)) / rule.b, 0), divideUp(state.taken, rule.c), retry
  end,
  counts = function(state, rule) return divideUp(state.taken, rule.b), 0 end,
  save = function(key, state)
    if state.taken == 0 then
      if not state.isNew then redis.call("DEL", key) end
      return
    end
    local freeMs = divideUp(state.taken, state.perMs)
    keep(key, "%.0f %.0f %.0f %.0f %.0f %.0f", freeMs + state.at - monotonic, state.limit, state.windowMs, state.perUnit,
      state.perMs, state.taken, state.at)
  end
}

types.q = {
  load = function(key)
    local text = redis.call("GET", key)
    if not text then return { used = 0, reserved = 0, isNew = true } end
    local state = {}
    state.start, state.windowMs, state.used, state.reserved = numbers(text)
    return state
  end,
  bring = function(state, rule)
    if state.start and rule.a < state.start then return end
    if not state.start or rule.a > state.start then
      state.start, state.used, state.reserved = rule.a, 0, 0
      state.moved = not state.isNew
    end
    if state.windowMs ~= rule.b then state.moved = not state.isNew end
    state.windowMs = rule.b
  end,
  add = function(state, rule, units)
    if units > rule.limit - state.used - state.reserved then return false end
    state.reserved = state.reserved + units
    return state.start
  end,
  undo = function(state, rule, units) state.reserved = state.reserved - units end,
  settle = function(state, rule, units, actual, mark)
    if state.isNew then state.start, state.windowMs = mark, rule.b end
    if mark ~= state.start then return end
    state.reserved = math.max(state.reserved - units, 0)
    state.used = math.min(state.used + actual, MAX)
  end,
  clear = function(state, rule)
    state.used = 0
    if rule.a ~= state.start then state.start, state.windowMs, state.reserved = rule.a, rule.b, 0 end
  end,
  decide = function(state, rule, units, fits)
    local reset = 0
    if state.used + state.reserved > 0 then reset = math.max(state.start + state.windowMs - wall, 0) end
    local retry = 0
    if not fits then
      retry = state.windowMs
      if units and units <= rule.limit then retry = math.max(reset, 1) end
    end
    return math.max(rule.limit - state.used - state.reserved, 0), reset, retry
  end,
  counts = function(state) return state.used, state.reserved end,
  save = function(key, state)
    if state.isNew and state.used + state.reserved == 0 then return end
    local leftMs = math.max(state.start + state.windowMs - wall, 0)
    keep(key, "%.0f %.0f %.0f %.0f", leftMs + math.min(state.windowMs, 3600000), state.start, state.windowMs, state.used,
      state.reserved)
  end
}

local function sweep(key, state)
  local all = redis.call("HGETALL", key)
  state.held, state.first = 0, nil
  for at = 1, #all, 2 do
    if string.sub(all[at], 1, 2) == "l:" then
      local untilMs, units = numbers(all[at + 1])
      if untilMs <= monotonic then state.removed[string.sub(all[at], 3)] = true
      else
        state.held = state.held + units
        state.first = math.min(state.first or untilMs, untilMs)
      end
    end
  end
  state.swept = true
end

types.c = {
  load = function(key)
    local state = { added = {}, removed = {}, key = key }
    local found = redis.call("HMGET", key, "n", "e")
    state.held, state.first = tonumber(found[1]) or 0, tonumber(found[2])
    if state.first and state.first <= monotonic then sweep(key, state) end
    return state
  end,
  bring = function(state, rule) state.leaseMs = rule.a end,
  add = function(state, rule, units)
    if units > rule.limit - state.held then return false end
    state.held = state.held + units
    if units > 0 then state.added[rule.b] = { monotonic + rule.a, units } end
    return 0
  end,
  undo = function(state, rule, units)
    state.held = state.held - units
    state.added[rule.b] = nil
  end,
  settle = function(state, rule)
    local lease = not state.removed[rule.b] and redis.call("HGET", state.key, "l:" .. rule.b)
    if not lease then return end
    local _, units = numbers(lease)
    state.held = math.max(state.held - units, 0)
    state.removed[rule.b] = true
  end,
  renew = function(state, rule, units)
    local isHeld = not state.removed[rule.b] and redis.call("HEXISTS", state.key, "l:" .. rule.b) == 1
    if not isHeld then state.held = state.held + units end
    state.removed[rule.b] = nil
    state.added[rule.b] = { monotonic + rule.a, units }
    state.leaseMs = math.max(state.leaseMs or 0, rule.a)
  end,
  decide = function(state, rule, units, fits)
    return math.max(rule.limit - state.held, 0), state.held > 0 and rule.a or 0, fits and 0 or 1000
  end,
  counts = function(state) return 0, state.held end,
  save = function(key, state)
    if state.held == 0 then return redis.call("DEL", key) end
    local changes = { "n", string.format("%.0f", state.held) }
    for id, lease in pairs(state.added) do
      state.first = math.min(state.first or lease[1], lease[1])
      changes[#changes + 1] = "l:" .. id
      changes[#changes + 1] = string.format("%.0f %.0f", lease[1], lease[2])
    end
    if state.first then
      changes[#changes + 1] = "e"
      changes[#changes + 1] = string.format("%.0f", state.first)
    end
    redis.call("HSET", key, unpack(changes))
    for id in pairs(state.removed) do redis.call("HDEL", key, "l:" .. id) end
    local forMs = math.min((state.leaseMs or 0) + SLACK, LONGEST)
    if redis.call("PTTL", key) < forMs then redis.call("PEXPIRE", key, string.format("%.0f", forMs)) end
  end
}

local states = {}

local function stateOf(type, key)
  local state = states[key]
  if not state then
    state = types[type].load(key)
    states[key] = state
  end
  return state
end
`;
