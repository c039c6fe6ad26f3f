/*
 * Appends a batch, and makes room for it where the stream is full: the oldest go, and somebody has to be told how many events that
 * were. What is bounded is events and not entries: of many data planes with little to do each entry has few.
 * KEYS: stream, number of events in it. ARGV: most events, number of events of the batch, events.
 */
export const appendScript = `
if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
redis.call('XADD', KEYS[1], '*', 'count', ARGV[2], 'events', ARGV[3])
local waiting = redis.call('INCRBY', KEYS[2], ARGV[2])
local lost = 0
while waiting - lost > tonumber(ARGV[1]) do
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  if not oldest then break end
  redis.call('XDEL', KEYS[1], oldest[1])
  lost = lost + tonumber(oldest[2][2])
end
if lost > 0 then redis.call('DECRBY', KEYS[2], lost) end
return lost
`;

/*
 * What was stored leaves, so that the stream holds what waits and nothing else.
 * KEYS: stream, number of events in it. ARGV: group, then id and number of events of each entry.
 */
export const removeScript = `
for i = 2, #ARGV, 2 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then redis.call('DECRBY', KEYS[2], ARGV[i + 1]) end
end
`;

/** How many entries there are, and the age of the first by Redis' own clock. KEYS: stream. */
export const waitingScript = `
local length = redis.call('XLEN', KEYS[1])
if length == 0 then return {0, 0} end
local time = redis.call('TIME')
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
return {length, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(string.match(first, '^%d+'))}
`;
