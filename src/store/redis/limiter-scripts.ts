import { limiterArithmetic } from "./limiter-arithmetic.ts";

const readRules = `
local WIDTH = 8
local function ruleOf(place)
  local at = 2 + (place - 1) * WIDTH
  local type = ARGV[at + 1]
  local rule = { limit = tonumber(ARGV[at + 4]), a = tonumber(ARGV[at + 5]), b = ARGV[at + 6],
    c = tonumber(ARGV[at + 7]), d = tonumber(ARGV[at + 8]) }
  if type ~= "c" then rule.b = tonumber(rule.b) end
  return type, rule, tonumber(ARGV[at + 2]), ARGV[at + 3] == "1"
end
`;

/**
 * Arguments: both clocks in milliseconds, or two empty texts for the server's own; then per key `type amount enforce
 * limit a b c d`, where `a b c d` are for `r` windowMs, perUnit, perMs, full; for `q` startsAtMs, windowMs; for `c`
 * leaseMs and the lease's id. An amount that never fits is an empty text. Answers 1 or 0, and per key: fits, remaining, reset,
 * retry, mark.
 */
export const takeScript = `${limiterArithmetic}${readRules}
local marks, refused = {}, false
for place = 1, #KEYS do
  local type, rule, units, enforced = ruleOf(place)
  local state = stateOf(type, KEYS[place])
  types[type].bring(state, rule)
  marks[place] = units and types[type].add(state, rule, units)
  if not marks[place] and enforced then refused = true end
end
if refused then
  for place = #KEYS, 1, -1 do
    local type, rule, units = ruleOf(place)
    if marks[place] then types[type].undo(states[KEYS[place]], rule, units) end
  end
end
local answer = { refused and 0 or 1 }
local saved = {}
for place = 1, #KEYS do
  local type, rule, units = ruleOf(place)
  local key = KEYS[place]
  local state = states[key]
  types[type].bring(state, rule)
  local fits = marks[place] and true or false
  local remaining, reset, retry = types[type].decide(state, rule, units, fits)
  local base = #answer
  answer[base + 1], answer[base + 2], answer[base + 3], answer[base + 4] = fits and 1 or 0, remaining, reset, retry
  answer[base + 5] = marks[place] or 0
  local changed = (not refused and fits and units > 0) or state.moved or state.swept
  if changed and not saved[key] then saved[key] = type end
end
for key, type in pairs(saved) do types[type].save(key, states[key]) end
return answer
`;

/** As `takeScript`, where amount is what was counted and `enforce` is not looked at, and after the rules per key: actual, mark. */
export const settleScript = `${limiterArithmetic}${readRules}
local at = 2 + #KEYS * WIDTH
for place = 1, #KEYS do
  local type, rule, units = ruleOf(place)
  local state = stateOf(type, KEYS[place])
  types[type].settle(state, rule, units, tonumber(ARGV[at + place * 2 - 1]), tonumber(ARGV[at + place * 2]))
end
local done = {}
for place = 1, #KEYS do
  local key = KEYS[place]
  if not done[key] then
    done[key] = true
    types[(ruleOf(place))].save(key, states[key])
  end
end
return 1
`;

/** As `takeScript`; every key is of type \`c\`, and is held for another lease. */
export const renewScript = `${limiterArithmetic}${readRules}
for place = 1, #KEYS do
  local type, rule, units = ruleOf(place)
  types.c.renew(stateOf(type, KEYS[place]), rule, units)
end
for key, state in pairs(states) do types.c.save(key, state) end
return 1
`;

/** As `takeScript`, where only rules are looked at; forgets what was used. */
export const clearScript = `${limiterArithmetic}${readRules}
for place = 1, #KEYS do
  local type, rule = ruleOf(place)
  local state = stateOf(type, KEYS[place])
  types[type].bring(state, rule)
  if types[type].clear then
    types[type].clear(state, rule)
    types[type].save(KEYS[place], state)
  end
end
return 1
`;

/** As `takeScript`, changing nothing. Answers per key: used, reserved, remaining, reset. */
export const lookScript = `${limiterArithmetic}${readRules}
local answer = {}
for place = 1, #KEYS do
  local type, rule = ruleOf(place)
  local state = stateOf(type, KEYS[place])
  types[type].bring(state, rule)
  local used, reserved = types[type].counts(state, rule)
  local remaining, reset = types[type].decide(state, rule, 0, true)
  local base = #answer
  answer[base + 1], answer[base + 2], answer[base + 3], answer[base + 4] = used, reserved, remaining, reset
end
return answer
`;
