/*
 * Appends a batch, and makes room for it where the stream is full: the oldest go, and somebody has to be told how many events that
 * were. XTRIM would not say. KEYS: stream. ARGV: most entries, number of events, events.
 */
export const appendScript = `
redis.call('XADD', KEYS[1], '*', 'count', ARGV[2], 'events', ARGV[3])
local lost = 0
local over = redis.call('XLEN', KEYS[1]) - ARGV[1]
if over > 0 then
  for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', over)) do
    redis.call('XDEL', KEYS[1], entry[1])
    lost = lost + tonumber(entry[2][2])
  end
end
return lost
`;

/** What was stored leaves, so that the stream holds what waits and nothing else. KEYS: stream. ARGV: group, ids. */
export const removeScript = `
redis.call('XACK', KEYS[1], ARGV[1], unpack(ARGV, 2))
redis.call('XDEL', KEYS[1], unpack(ARGV, 2))
`;

/** How many entries there are, and the age of the first by Redis' own clock. KEYS: stream. */
export const waitingScript = `
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return {0, 0} end
local time = redis.call('TIME')
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
return {length, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(first, '^%d+'))}
`;
