import { GatewayError } from '@gatehouse/errors';
import { canonicalName, isSingletonHeader } from '@gatehouse/header-policy';

/** The caller's headers that the gateway reads, each at most once. Everything else is the header policy's. */
export class CallerHeaders {
  authorization: string | undefined = undefined;
  gatehouseKey: string | undefined = undefined;
  host: string | undefined = undefined;
  origin: string | undefined = undefined;
  accept: string | undefined = undefined;
  contentType: string | undefined = undefined;
  contentEncoding: string | undefined = undefined;
  protocolVersion: string | undefined = undefined;
  sessionId: string | undefined = undefined;
  lastEventId: string | undefined = undefined;
  mcpMethod: string | undefined = undefined;
  mcpName: string | undefined = undefined;
  /** `Mcp-Param-*`, flat, as they came: unknown ones must be forwarded (MCP 2026-07-28). */
  mcpParams: string[] | undefined = undefined;
  traceparent: string | undefined = undefined;
  tracestate: string | undefined = undefined;
  baggage: string | undefined = undefined;
  /** Of a preflight. */
  requestedHeaders: string | undefined = undefined;
  /** What `Connection` lists, as canonical names: the header policy drops it. */
  nominated: ReadonlySet<string> | undefined = undefined;
}

type Singleton = Exclude<keyof CallerHeaders, 'mcpParams' | 'nominated'>;

const singletons = new Map<string, Singleton>([
  ['authorization', 'authorization'],
  ['x-gatehouse-key', 'gatehouseKey'],
  ['host', 'host'],
  ['origin', 'origin'],
  ['accept', 'accept'],
  ['content-type', 'contentType'],
  ['content-encoding', 'contentEncoding'],
  ['mcp-protocol-version', 'protocolVersion'],
  ['mcp-session-id', 'sessionId'],
  ['last-event-id', 'lastEventId'],
  ['mcp-method', 'mcpMethod'],
  ['mcp-name', 'mcpName'],
  ['traceparent', 'traceparent'],
  ['tracestate', 'tracestate'],
  ['baggage', 'baggage'],
  ['access-control-request-headers', 'requestedHeaders'],
]);

/** Headers whose rows add up to one list (RFC 9110 section 5.3, W3C Trace Context section 3.3.1.1, W3C Baggage section 3.2). */
const lists = new Set<Singleton>(['accept', 'tracestate', 'baggage']);

/** What a name is to the gateway. */
type Kind =
  | { readonly is: 'field'; readonly name: string; readonly field: Singleton; readonly isList: boolean }
  | { readonly is: 'connection' | 'param' | 'singleton' | 'other'; readonly name: string };

/** By the spelling of the wire: clients send the same few over and over. Strangers choose names: when there are
 * too many, it begins anew. */
const kinds = new Map<string, Kind>();
const maxKinds = 512;
const maxKindLength = 64;

function kindOf(rawName: string): Kind {
  const known = kinds.get(rawName);
  if (known !== undefined) return known;
  const kind = classify(rawName.toLowerCase());
  if (rawName.length > maxKindLength) return kind;
  if (kinds.size >= maxKinds) kinds.clear();
  kinds.set(rawName, kind);
  return kind;
}

function classify(name: string): Kind {
  const field = singletons.get(name);
  if (field !== undefined) return { is: 'field', name, field, isList: lists.has(field) };
  if (name === 'connection') return { is: 'connection', name };
  if (name.startsWith('mcp-param-')) return { is: 'param', name };
  return { is: isSingletonHeader(name) ? 'singleton' : 'other', name };
}

export interface HeaderLimits {
  readonly maxBytes: number;
  readonly maxCount: number;
}

/**
 * Reads the raw rows in one pass. What `Connection` nominates is dropped (RFC 9110 section 7.6.1), before anything of ours is
 * added, so that a caller cannot have the gateway's own headers removed.
 * @throws GatewayError headers_too_large, duplicate_header
 */
export function cleanHeaders(rows: readonly string[], limits: HeaderLimits): Readonly<CallerHeaders> {
  if (rows.length > 2 * limits.maxCount) throw new GatewayError('headers_too_large', { detail: `${rows.length / 2} fields` });
  // A class, so that all of them have one shape, whatever came.
  const headers = new CallerHeaders();
  let nominated: string | undefined;
  let others: string[] | undefined;
  let bytes = 0;
  for (let index = 0; index + 1 < rows.length; index += 2) {
    const rawName = rows[index] as string;
    const value = rows[index + 1] as string;
    bytes += rawName.length + value.length + 4;
    const kind = kindOf(rawName);
    switch (kind.is) {
      case 'other':
        break;
      case 'field': {
        const earlier = headers[kind.field];
        // An empty row adds nothing to a list (RFC 9110 section 5.6.1).
        if (earlier === undefined || (kind.isList && earlier === '')) headers[kind.field] = value;
        else if (kind.isList) headers[kind.field] = value === '' ? earlier : `${earlier}, ${value}`;
        else throw new GatewayError('duplicate_header', { detail: kind.name });
        break;
      }
      case 'connection':
        nominated = nominated === undefined ? value : `${nominated},${value}`;
        break;
      case 'param':
        (headers.mcpParams ??= []).push(rawName, value);
        break;
      case 'singleton':
        if (others?.includes(kind.name)) throw new GatewayError('duplicate_header', { detail: kind.name });
        (others ??= []).push(kind.name);
    }
  }
  if (bytes > limits.maxBytes) throw new GatewayError('headers_too_large', { detail: `${bytes} bytes` });
  if (nominated !== undefined) dropNominated(headers, nominated);
  return headers;
}

function dropNominated(headers: CallerHeaders, nominated: string): void {
  // What almost every connection says nominates nothing.
  if (nominated === 'keep-alive' || nominated === 'close') return;
  const names = new Set(nominated.toLowerCase().split(',').map((token) => token.trim()));
  headers.nominated = new Set([...names].map(canonicalName));
  for (const name of names) {
    const field = singletons.get(name);
    // What is checked of a request cannot be removed from it.
    if (field !== undefined && field !== 'host' && field !== 'origin') headers[field] = undefined;
  }
  const params = headers.mcpParams;
  headers.mcpParams = params?.filter((_, index) => !names.has((params[index - (index % 2)] as string).toLowerCase()));
}
