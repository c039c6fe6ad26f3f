import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { GatewayError } from '@gatehouse/errors';
import { buildConnector } from 'undici';
import type { AddressGuard } from './address-guard.ts';

/** What a server's upstream may set about TLS, as `node:tls` takes it. */
export interface UpstreamTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Resolves a name to all its addresses. The operating system's resolver unless a test has its own. */
export type ResolveName = (
  hostname: string,
  options: { all: true; family?: 4 | 6; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface GuardedConnectorOptions {
  readonly guard: AddressGuard;
  /** From the look-up of the name to the end of the TLS handshake. */
  readonly connectTimeoutMs: number;
  readonly tls?: UpstreamTls;
  readonly resolveName?: ResolveName;
}

/**
 * Opens connections for undici whose address the guard has seen: the look-up that the socket itself makes is the one that is
 * checked, so a name cannot resolve to one address for the check and to another for the connection.
 */
export function guardedConnector(options: GuardedConnectorOptions): buildConnector.connector {
  const { guard, connectTimeoutMs, tls = {}, resolveName = systemLookup } = options;
  const connect = buildConnector({
    ...tls,
    // HTTP/1.1 only: a connection carries one call at a time, so a slow answer holds up no other.
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup: guardedLookup(guard, resolveName),
  });

  return ({ hostname, host, protocol, port }, callback) => {
    // The socket looks up names only; an address in the URL is checked here.
    if (isIP(hostname) !== 0) {
      const refusal = refusalOf(guard, [hostname]);
      if (refusal) {
        queueMicrotask(() => callback(refusal, null));
        return;
      }
    }
    // Without `servername` undici takes it from the URL's host and not from a Host header.
    connect({ hostname, protocol, port, ...(host === undefined ? {} : { host }) }, callback);
  };
}

/** A `lookup` for sockets that fails when any address of the name is refused: a name with both kinds is not to be trusted. */
export function guardedLookup(guard: AddressGuard, resolveName: ResolveName = systemLookup): LookupFunction {
  return (hostname, { all, family, hints }, callback) => {
    const asked = family === 4 || family === 'IPv4' ? 4 : family === 6 || family === 'IPv6' ? 6 : undefined;
    resolveName(hostname, { all: true, ...(asked && { family: asked }), ...(hints !== undefined && { hints }) }, (error, addresses) => {
      const [first] = addresses ?? [];
      const failure = error ?? (first ? refusalOf(guard, addresses.map(({ address }) => address), hostname) : noAddress(hostname));
      if (failure || !first) callback(failure ?? noAddress(hostname), '', 0);
      else if (all) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function refusalOf(guard: AddressGuard, addresses: readonly string[], host?: string): GatewayError | undefined {
  try {
    for (const address of addresses) guard.assertAllowed(address, host);
    return undefined;
  } catch (error) {
    return error instanceof GatewayError ? error : new GatewayError('upstream_address_refused', { cause: error });
  }
}

const noAddress = (hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error('the name has no address'), { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname });
