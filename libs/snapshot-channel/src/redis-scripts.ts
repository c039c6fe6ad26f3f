/*
 * A publication takes effect in one script, and only on the state it was built on. Documents were staged under keys of
 * their own before, so that the script's size does not grow with them.
 * KEYS: state, index, documents, staged index, staged documents. ARGV: expected stamp, revision, stamp, mode, hints channel,
 * hint, then the removed ids.
 */
export const publishScript = `
local current = redis.call('HGET', KEYS[1], 'stamp') or ''
if current ~= ARGV[1] then
  redis.call('DEL', KEYS[4], KEYS[5])
  return 0
end
if ARGV[4] == 'replace' then
  redis.call('DEL', KEYS[2], KEYS[3])
  if redis.call('EXISTS', KEYS[4]) == 1 then
    redis.call('RENAME', KEYS[4], KEYS[2])
    redis.call('RENAME', KEYS[5], KEYS[3])
    redis.call('PERSIST', KEYS[2])
    redis.call('PERSIST', KEYS[3])
  end
else
  for _, pair in ipairs({{KEYS[4], KEYS[2]}, {KEYS[5], KEYS[3]}}) do
    local staged = redis.call('HGETALL', pair[1])
    for i = 1, #staged, 2 do redis.call('HSET', pair[2], staged[i], staged[i + 1]) end
  end
  redis.call('DEL', KEYS[4], KEYS[5])
  for i = 7, #ARGV do
    redis.call('HDEL', KEYS[2], ARGV[i])
    redis.call('HDEL', KEYS[3], ARGV[i])
  end
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2], 'stamp', ARGV[3])
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
`;

/** State and index of one moment. KEYS: state, index. */
export const readIndexScript = `return {redis.call('HMGET', KEYS[1], 'revision', 'stamp'), redis.call('HGETALL', KEYS[2])}`;
