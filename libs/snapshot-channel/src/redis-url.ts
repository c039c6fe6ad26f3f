/** Where a Redis is, and what it is. */
export interface RedisPlace {
  /** One Redis; the sentinels that know where the master is; nodes of a cluster. */
  readonly kind: 'single' | 'sentinel' | 'cluster';
  /** More than one only of sentinels and of a cluster. */
  readonly hosts: readonly RedisHost[];
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
  /** What sentinels call the master. */
  readonly masterName: string | undefined;
  /** Of the sentinels themselves. */
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
}

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

export const redisUrlForms = 'redis://host, redis+sentinel://host,host/master or redis+cluster://host,host (rediss… with TLS)';

/** What is wrong with a URL, without a word of it: passwords are in there. */
export class InvalidRedisUrlError extends Error {
  override readonly name = 'InvalidRedisUrlError';
}

/** `URL` knows neither several hosts nor, in a scheme like these, a port behind one of them. */
const form = /^(redis|rediss)(?:\+(sentinel|cluster))?:\/\/(?:([^/?#]*)@)?([^@/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i;
const hostForm = /^(\[[\da-f:.]+\]|[^\s:[\]]+)(?::(\d{1,5}))?$/i;

/**
 * Reads the forms that are commonest elsewhere: `redis+sentinel://user:password@host:26379,host/<master>/<db>` as redis-py's relatives
 * have it, with `sentinel_username` and `sentinel_password` behind `?`, and `redis+cluster://host:6379,host`.
 * @throws InvalidRedisUrlError
 */
export function parseRedisUrl(text: string): RedisPlace {
  const [, scheme, topology, userinfo = '', hosts = '', path = '', query = ''] = form.exec(text) ?? [];
  if (scheme === undefined) throw new InvalidRedisUrlError(`must be a URL: ${redisUrlForms}; in a password, percent-encode what is not a letter or digit`);
  const kind = topology === undefined ? 'single' : (topology.toLowerCase() as 'sentinel' | 'cluster');
  const [username, password] = readUserinfo(userinfo);
  return {
    kind,
    hosts: readHosts(hosts, kind),
    tls: scheme.toLowerCase() === 'rediss',
    username,
    password,
    ...readPath(path, kind),
    ...readQuery(query, kind),
  };
}

function readUserinfo(userinfo: string): [username: string | undefined, password: string | undefined] {
  const at = userinfo.indexOf(':');
  const [username, password] = at === -1 ? [userinfo, ''] : [userinfo.slice(0, at), userinfo.slice(at + 1)];
  return [decode(username) || undefined, decode(password) || undefined];
}

function readHosts(text: string, kind: RedisPlace['kind']): RedisHost[] {
  const hosts = text.split(',').map((item): RedisHost => {
    const [, host = '', port] = hostForm.exec(item.trim()) ?? [];
    const number = Number(port ?? (kind === 'sentinel' ? 26_379 : 6_379));
    if (host === '' || number < 1 || number > 65_535) throw new InvalidRedisUrlError('must name its hosts as host:port, comma-separated');
    return { host: host.replace(/^\[|\]$/g, ''), port: number };
  });
  if (kind === 'single' && hosts.length > 1) throw new InvalidRedisUrlError('names several hosts: that is redis+sentinel:// or redis+cluster://');
  return hosts;
}

function readPath(path: string, kind: RedisPlace['kind']): { masterName: string | undefined; db: number } {
  const [first = '', ...others] = path.split('/').map(decode);
  const [masterName, db = '', ...more] = kind === 'sentinel' ? [first, ...others] : [undefined, first, ...others];
  if (masterName === '') throw new InvalidRedisUrlError('must name the master behind the sentinels: redis+sentinel://host,host/<master>');
  if (more.some((part) => part !== '') || !/^\d{0,4}$/.test(db)) throw new InvalidRedisUrlError('must have a number, or nothing, as its database');
  if (kind === 'cluster' && Number(db) !== 0) throw new InvalidRedisUrlError('names a database: a cluster has none but 0');
  return { masterName, db: Number(db) };
}

function readQuery(query: string, kind: RedisPlace['kind']): { sentinelUsername: string | undefined; sentinelPassword: string | undefined } {
  const parameters = new URLSearchParams(query);
  const known = kind === 'sentinel' ? ['sentinel_username', 'sentinel_password'] : [];
  if ([...parameters.keys()].some((name) => !known.includes(name))) throw new InvalidRedisUrlError(`must not have ${known.length > 0 ? `other parameters than ${known.join(', ')}` : 'parameters'}`);
  return { sentinelUsername: parameters.get('sentinel_username') ?? undefined, sentinelPassword: parameters.get('sentinel_password') ?? undefined };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidRedisUrlError('must be percent-encoded where it has other characters than letters and digits');
  }
}
