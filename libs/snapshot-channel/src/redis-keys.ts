/** One hash tag, so that a cluster keeps all of them on one node and a script may touch them together; limits are each by itself. */
export const redisKeys = {
  state: '{gatehouse}:snapshot:state',
  index: '{gatehouse}:snapshot:index',
  documents: '{gatehouse}:snapshot:documents',
  /** Filled by a replacement before it takes effect. */
  staging: (stamp: string) => ({ index: `{gatehouse}:snapshot:index:${stamp}`, documents: `{gatehouse}:snapshot:documents:${stamp}` }),
  hints: '{gatehouse}:snapshot:hints',
  events: '{gatehouse}:events',
  heartbeats: '{gatehouse}:data-planes',
  /** When each of them was heard of last, by Redis' clock. */
  heartbeatTimes: '{gatehouse}:data-planes:times',
  callEvents: '{gatehouse}:call-events',
  /** How many events are in it. */
  callEventCount: '{gatehouse}:call-events:count',
  /** A bucket of a shared limit. */
  limit: (hash: string) => `gatehouse:limits:{${hash}}`,
} as const;
