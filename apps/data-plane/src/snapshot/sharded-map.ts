const shardCount = 1024;

/**
 * An immutable map of strings: a changed copy shares every shard that did not change, so that an edit costs the same whether
 * there are ten entries or a hundred thousand.
 */
export class ShardedMap<V> {
  readonly #shards: readonly (ReadonlyMap<string, V> | undefined)[];
  readonly size: number;

  private constructor(shards: readonly (ReadonlyMap<string, V> | undefined)[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static empty<V>(): ShardedMap<V> {
    return new ShardedMap<V>(new Array<undefined>(shardCount).fill(undefined), 0);
  }

  get(key: string): V | undefined {
    return this.#shards[shardOf(key)]?.get(key);
  }

  /** A copy in which each key has its new value, or is gone where that is `undefined`. */
  with(changes: Iterable<readonly [string, V | undefined]>): ShardedMap<V> {
    const shards = [...this.#shards];
    const copied = new Map<number, Map<string, V>>();
    let size = this.size;
    for (const [key, value] of changes) {
      const number = shardOf(key);
      const shard = copied.get(number) ?? new Map(shards[number]);
      if (!copied.has(number)) copied.set(number, shard);
      size -= shard.size;
      if (value === undefined) shard.delete(key);
      else shard.set(key, value);
      size += shard.size;
    }
    for (const [number, shard] of copied) shards[number] = shard.size > 0 ? shard : undefined;
    return new ShardedMap(shards, size);
  }

  *entries(): Generator<[string, V]> {
    for (const shard of this.#shards) if (shard) yield* shard.entries();
  }
}

/** FNV-1a over the last characters, where ids and names differ. */
function shardOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = Math.max(0, key.length - 16); index < key.length; index += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  }
  return (hash >>> 0) % shardCount;
}
