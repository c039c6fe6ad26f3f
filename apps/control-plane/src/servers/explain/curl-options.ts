/** What an option of curl means here. */
export type CurlOption =
  | 'header' | 'method' | 'data' | 'data-raw' | 'data-urlencode' | 'json' | 'user' | 'bearer' | 'cookie' | 'user-agent' | 'referer' | 'range' | 'url' | 'form'
  /** Reads a file, which is not done here. */
  | 'file'
  /** Has a value, and nothing to do with what is sent. */
  | 'ignored-value'
  | 'get' | 'head' | 'ignored';

/** Options with a value: name, the letter it has, meaning. */
const valued: readonly (readonly [name: string, letter: string, option: CurlOption])[] = [
  ['header', 'H', 'header'], ['request', 'X', 'method'], ['url', '', 'url'],
  ['data', 'd', 'data'], ['data-ascii', '', 'data'], ['data-binary', '', 'data'], ['data-raw', '', 'data-raw'], ['data-urlencode', '', 'data-urlencode'], ['json', '', 'json'],
  ['user', 'u', 'user'], ['oauth2-bearer', '', 'bearer'], ['cookie', 'b', 'cookie'], ['user-agent', 'A', 'user-agent'], ['referer', 'e', 'referer'], ['range', 'r', 'range'],
  ['form', 'F', 'form'], ['form-string', '', 'form'],
  ['upload-file', 'T', 'file'], ['config', 'K', 'file'],
  ['output', 'o', 'ignored-value'], ['max-time', 'm', 'ignored-value'], ['proxy', 'x', 'ignored-value'], ['cert', 'E', 'ignored-value'], ['cookie-jar', 'c', 'ignored-value'],
  ['write-out', 'w', 'ignored-value'], ['proxy-user', 'U', 'ignored-value'], ['dump-header', 'D', 'ignored-value'], ['speed-limit', 'Y', 'ignored-value'], ['speed-time', 'y', 'ignored-value'],
  ...[
    'cacert', 'capath', 'cert-type', 'ciphers', 'connect-timeout', 'connect-to', 'dns-servers', 'interface', 'keepalive-time', 'key', 'key-type', 'limit-rate', 'max-filesize',
    'max-redirs', 'noproxy', 'pass', 'proto', 'proxy-header', 'resolve', 'retry', 'retry-delay', 'retry-max-time', 'stderr', 'tls-max', 'trace', 'trace-ascii', 'unix-socket',
  ].map((name) => [name, '', 'ignored-value'] as const),
];

const flags: readonly (readonly [name: string, letter: string, option: CurlOption])[] = [
  ['get', 'G', 'get'], ['head', 'I', 'head'],
  ...([
    ['compressed', ''], ['silent', 's'], ['show-error', 'S'], ['insecure', 'k'], ['location', 'L'], ['location-trusted', ''], ['verbose', 'v'], ['include', 'i'], ['show-headers', ''],
    ['globoff', 'g'], ['fail', 'f'], ['fail-with-body', ''], ['no-buffer', 'N'], ['progress-bar', '#'], ['no-progress-meter', ''], ['remote-name', 'O'], ['path-as-is', ''], ['raw', ''],
    ['http1.0', '0'], ['http1.1', ''], ['http2', ''], ['http2-prior-knowledge', ''], ['http3', ''], ['tlsv1', '1'], ['tlsv1.2', ''], ['tlsv1.3', ''], ['ipv4', '4'], ['ipv6', '6'],
    ['basic', ''], ['ssl-no-revoke', ''], ['tcp-nodelay', ''], ['no-keepalive', ''], ['create-dirs', ''], ['parallel', 'Z'], ['disable', 'q'],
  ] as const).map(([name, letter]) => [name, letter, 'ignored'] as const),
];

export interface CurlOptionKind {
  readonly option: CurlOption;
  readonly hasValue: boolean;
}

/** By `--name` and `-letter`. */
export const curlOptions: ReadonlyMap<string, CurlOptionKind> = new Map(
  [valued, flags].flatMap((list) =>
    list.flatMap(([name, letter, option]) => {
      const kind = { option, hasValue: list === valued };
      return [[`--${name}`, kind] as const, ...(letter === '' ? [] : [[`-${letter}`, kind] as const])];
    }),
  ),
);
