/*
 * Takes what is there of the tokens that are wanted. Of a bucket the time is kept at which it is full again (the generic cell rate
 * algorithm), by Redis' own clock, and no longer than until then. A clock that was set back leaves a bucket empty, at worst.
 * KEYS: bucket. ARGV: milliseconds for a token, tokens that it holds, tokens wanted, and how many of them at least: where fewer are
 * there none are taken. Gives how many were, and the microseconds until the next one is there, below 0 where some are.
 */
export const takeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local interval, burst, wanted, least = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local full = math.min(math.max(tonumber(redis.call('GET', KEYS[1]) or now), now), now + burst * interval)
local granted = math.max(0, math.min(wanted, math.floor(burst - (full - now) / interval + 1e-6)))
if granted < least then granted = 0 end
if granted > 0 then
  full = full + granted * interval
  redis.call('SET', KEYS[1], string.format('%.17g', full), 'PX', math.ceil(full - now) + 1)
end
return {granted, math.ceil((full - now - (burst - 1) * interval) * 1000)}
`;
