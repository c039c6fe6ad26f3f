import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type PeerCertificate, type TLSSocket } from 'node:tls';
import { type AddressGuard, guardedConnector, tlsProblem, toUpstreamError } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { StepFailure, stepFailureOf } from './step-failure.ts';

export interface StepSuccess {
  readonly detail: string;
  readonly advice?: string;
}

const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '');
const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

/** Rejects with the signal's reason as soon as it is aborted. */
export async function before<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Nothing where the URL has an address instead of a name. */
export async function resolveName(guard: AddressGuard, url: URL, signal: AbortSignal): Promise<StepSuccess | undefined> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return undefined;
  try {
    const addresses = (await before(signal, lookup(host, { all: true }))).map(({ address }) => address);
    // The addresses of names inside of the network are not told; the next step says that they are refused.
    const shown = addresses.every((address) => guard.allows(address)) ? addresses.join(', ') : `${addresses.length} address(es)`;
    return { detail: `${host} resolves to ${shown}.` };
  } catch (error) {
    throw networkFailure(error);
  }
}

/** Connects through the address guard. The socket is the caller's to destroy. */
export async function connectTcp(guard: AddressGuard, url: URL, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  const connector = guardedConnector({ guard, connectTimeoutMs: timeoutMs });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  connector({ hostname: hostOf(url), host: url.host, protocol: 'http:', port: portOf(url) }, (error, socket) => {
    if (error) reject(error);
    else if (signal.aborted) socket.destroy();
    else resolve(socket);
  });
  try {
    return await before(signal, promise);
  } catch (error) {
    throw networkFailure(error);
  }
}

const soonMs = 14 * 86_400_000;

/** The TLS handshake alone: nothing is sent through the connection, so a bad certificate can be looked at. */
export async function handshake(socket: Socket, url: URL, signal: AbortSignal): Promise<StepSuccess> {
  const host = hostOf(url);
  const tls = connectTls({ socket, host, ...(isIP(host) === 0 && { servername: host }), ALPNProtocols: ['http/1.1'], rejectUnauthorized: false });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    tls.once('secureConnect', resolve).once('error', reject);
    await before(signal, promise);
  } catch (error) {
    throw networkFailure(error);
  }
  const certificate = tls.getPeerCertificate();
  const about = `${tls.getProtocol() ?? 'TLS'}, ${describeCertificate(certificate)}`;
  if (!tls.authorized) throw certificateFailure(tls, host, about);
  const expiresSoon = new Date(certificate.valid_to).getTime() - Date.now() < soonMs;
  return { detail: `${about}.`, ...(expiresSoon && { advice: 'The certificate expires soon: renew it.' }) };
}

function describeCertificate({ subject, issuer, valid_to: validTo }: PeerCertificate): string {
  const nameOf = (name: PeerCertificate['subject'] | undefined): string => String(name?.CN ?? name?.O ?? 'unknown').slice(0, 100);
  return `certificate of ${nameOf(subject)}, issued by ${nameOf(issuer)}, valid until ${validTo}`;
}

/** Names everything that is wrong: OpenSSL stops at the first, and who mends that one meets the next. */
function certificateFailure(tls: TLSSocket, host: string, about: string): StepFailure {
  const certificate = tls.getPeerCertificate();
  // Declared as an error, but it is the error's code.
  const first = String(tls.authorizationError);
  const isExpired = new Date(certificate.valid_to).getTime() < Date.now();
  const isForAnother = checkServerIdentity(host, certificate) !== undefined;
  const codes = new Set([first, ...(isExpired ? ['CERT_HAS_EXPIRED'] : []), ...(isForAnother ? ['ERR_TLS_CERT_ALTNAME_INVALID'] : [])]);
  const problems = [...codes].map((code) => tlsProblem(Object.assign(new Error(code), { code })) ?? `the certificate was not accepted (${code})`);
  const names = isForAnother ? `, for ${(certificate.subjectaltname ?? 'no name').slice(0, 200)} and not for ${host}` : '';
  const unknownAuthority = 'Serve a certificate of a known authority together with its chain, or add the authority to those Gatehouse trusts (NODE_EXTRA_CA_CERTS).';
  const advice = [...codes].map((code) => certificateAdvice[code] ?? unknownAuthority);
  const sentence = problems.join(', ');
  return new StepFailure('upstream_unreachable', `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}: ${about}${names}.`, advice.join(' '));
}

const certificateAdvice: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'Renew the certificate of the upstream.',
  CERT_NOT_YET_VALID: 'Check the clocks of both machines, or wait until the certificate is valid.',
  ERR_TLS_CERT_ALTNAME_INVALID: 'Use one of the certificate’s names in the upstream URL, or serve a certificate for this one.',
};

/** Anything the network threw, as a step's failure. */
export function networkFailure(thrown: unknown): StepFailure {
  if (thrown instanceof StepFailure) return thrown;
  const error = toUpstreamError(thrown);
  return stepFailureOf(error.code === 'internal' ? new GatewayError('upstream_failed', { cause: thrown }) : error);
}
