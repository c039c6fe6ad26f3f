/*
 * Redis gives up whole keys, by eviction or by accident, and an index without its documents, or a key that is gone and so looks
 * empty, is no configuration. The state says how many documents there are; where index or documents differ, nothing is whole.
 */
const isWhole = `
local function isWhole()
  local documents = redis.call('HGET', KEYS[1], 'documents')
  if not documents then return true end
  return redis.call('HLEN', KEYS[2]) == tonumber(documents) and redis.call('HLEN', KEYS[3]) == tonumber(documents)
end
`;

/** What `publishScript` answers. */
export const publishResult = { otherState: 0, published: 1, stagingLost: 2, notWhole: 3 } as const;

/*
 * A publication takes effect in one script, and only on the state it was built on. Documents were staged under keys of
 * their own before, so that the script's size does not grow with them. Everything is checked before anything is written: what
 * was staged may have expired or been evicted, and a script that fails half-way is not undone.
 * KEYS: state, index, documents, staged index, staged documents. ARGV: expected stamp, revision, stamp, mode, hints channel,
 * hint, number of staged documents, then the removed ids.
 */
export const publishScript = `${isWhole}
local function refuse(why)
  redis.call('DEL', KEYS[4], KEYS[5])
  return why
end
local staged = tonumber(ARGV[7])
if (redis.call('HGET', KEYS[1], 'stamp') or '') ~= ARGV[1] then return refuse(${publishResult.otherState}) end
if redis.call('HLEN', KEYS[4]) ~= staged or redis.call('HLEN', KEYS[5]) ~= staged then return refuse(${publishResult.stagingLost}) end
if ARGV[4] == 'change' and not isWhole() then return refuse(${publishResult.notWhole}) end

if ARGV[4] == 'change' then
  for _, pair in ipairs({{KEYS[4], KEYS[2]}, {KEYS[5], KEYS[3]}}) do
    local entries = redis.call('HGETALL', pair[1])
    for i = 1, #entries, 2 do redis.call('HSET', pair[2], entries[i], entries[i + 1]) end
  end
  redis.call('DEL', KEYS[4], KEYS[5])
  for i = 8, #ARGV do
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('HDEL', KEYS[3], ARGV[i])
  end
elseif staged == 0 then
  redis.call('DEL', KEYS[2], KEYS[3])
else
  redis.call('RENAME', KEYS[4], KEYS[2])
  redis.call('RENAME', KEYS[5], KEYS[3])
  redis.call('PERSIST', KEYS[2])
  redis.call('PERSIST', KEYS[3])
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'stamp', ARGV[3], 'documents', redis.call('HLEN', KEYS[2]))
redis.call('PUBLISH', ARGV[5], ARGV[6])
return ${publishResult.published}
`;

/** KEYS: state, index, documents. */
export const isWholeScript = `${isWhole} return isWhole() and 1 or 0`;

/** State and index of one moment, and whether they are whole. KEYS: state, index, documents. */
export const readIndexScript = `${isWhole}
return {redis.call('HMGET', KEYS[1], 'revision', 'stamp'), redis.call('HGETALL', KEYS[2]), isWhole() and 1 or 0}`;

/*
 * A heartbeat, by Redis' own clock: a data plane whose clock is wrong is neither dead nor the death of others. Those that have
 * not been heard of go here, since names of pods never come back and nobody may be reading.
 * KEYS: heartbeats, times. ARGV: id, heartbeat, life in milliseconds.
 */
export const reportHeartbeatScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], now, ARGV[1])
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. string.format('%.0f', now - ARGV[3]), 'LIMIT', 0, 1000)) do
  redis.call('HDEL', KEYS[1], id)
  redis.call('ZREM', KEYS[2], id)
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
`;

/** KEYS: heartbeats, times. ARGV: life in milliseconds. */
export const readHeartbeatsScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], string.format('%.0f', now - ARGV[1]), '+inf')) do
  local heartbeat = redis.call('HGET', KEYS[1], id)
  if heartbeat then found[#found + 1] = heartbeat end
end
return found
`;
