import { createHmac, hash } from 'node:crypto';
import { posix } from 'node:path';
import type { Secret } from '@gatehouse/sealing';
import type { SignableRequest } from './app-auth-type.ts';

/** What a signature is good for, and whose it is. */
export interface Sigv4Options {
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
}

/** When, as AWS writes it: 20150830T123600Z. */
export const amzDateOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

/** SHA-256 of a body, in hex; one that is not there counts as empty. */
export const bodyHashOf = (body: SignableRequest['body']): string => (body === undefined ? emptyHash : hash('sha256', body, 'hex'));

const algorithm = 'AWS4-HMAC-SHA256';
const emptyHash = hash('sha256', '', 'hex');

/**
 * AWS Signature Version 4 (IAM User Guide, “Create a signed AWS API request”) of one access key, in the `Authorization` header:
 * of the very characters that are sent, as services read them.
 */
export class Sigv4Signer {
  readonly #options: Sigv4Options;
  readonly #canonicalPath: (path: string) => string;
  /** Derived once a day. */
  #key: { readonly day: string; readonly bytes: Buffer } | undefined;

  constructor(options: Sigv4Options) {
    this.#options = options;
    this.#canonicalPath = objectStores.has(options.service) ? encodedOnce : encodedAgain;
  }

  /** @param request its headers include `X-Amz-Date`, which is `amzDate` */
  authorize({ method, url, headers, body }: SignableRequest, amzDate: string, bodyHash = bodyHashOf(body)): string {
    const { host, path, query } = partsOf(url);
    const signed = canonicalHeaders(host, headers);
    const names = signed.map(([name]) => name).join(';');
    const rows = signed.map(([name, value]) => `${name}:${value}\n`).join('');
    const request = `${method}\n${this.#canonicalPath(path)}\n${canonicalQuery(query)}\n${rows}\n${names}\n${bodyHash}`;

    const { region, service, accessKeyId } = this.#options;
    const day = amzDate.slice(0, 8);
    const scope = `${day}/${region}/${service}/aws4_request`;
    // Header values are the bytes of the wire, one character each.
    const signature = hmac(this.#keyOf(day), `${algorithm}\n${amzDate}\n${scope}\n${hash('sha256', Buffer.from(request, 'latin1'), 'hex')}`).toString('hex');
    return `${algorithm} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  }

  #keyOf(day: string): Buffer {
    if (this.#key?.day !== day) {
      const { region, service, secretAccessKey } = this.#options;
      const bytes = [day, region, service, 'aws4_request'].reduce<Buffer | string>(hmac, `AWS4${secretAccessKey.reveal()}`) as Buffer;
      this.#key = { day, bytes };
    }
    return this.#key.bytes;
  }
}

const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** Not by `URL`, which would write it anew. */
function partsOf(url: string): { host: string; path: string; query: string } {
  const authority = url.indexOf('//') + 2;
  const start = url.indexOf('/', authority);
  const cut = url.indexOf('?', start);
  return { host: url.slice(authority, start), path: url.slice(start, cut === -1 ? undefined : cut), query: cut === -1 ? '' : url.slice(cut + 1) };
}

/** Their paths are names of objects: neither made shorter nor encoded twice. */
const objectStores = new Set(['s3', 's3-outposts', 's3-object-lambda']);

const plainPath = /^[A-Za-z0-9\-_.~/]*$/;
const encodedAgain = (path: string): string => {
  const shortest = posix.normalize(path);
  return plainPath.test(shortest) ? shortest : shortest.split('/').map(encodeStrictly).join('/');
};
const encodedOnce = (path: string): string => (plainPath.test(path) ? path : path.split('/').map(reencode).join('/'));

function canonicalQuery(query: string): string {
  if (query === '') return '';
  // A + is a space there, as services read it.
  const pairs = query.split('&').filter((pair) => pair !== '').map((pair) => {
    const cut = pair.indexOf('=');
    const [name, value] = cut === -1 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)];
    return [reencode(name.replaceAll('+', ' ')), reencode(value.replaceAll('+', ' '))] as const;
  });
  return pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y)).map(([name, value]) => `${name}=${value}`).join('&');
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** RFC 3986 section 2.3: everything but unreserved characters is encoded. */
const encodeStrictly = (text: string): string => encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, percentEncoded);
const percentEncoded = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;

/** The same of what is encoded already, in whatever way; bytes that are no UTF-8 stay what they are. */
const reencode = (text: string): string => text.replace(/%[0-9A-Fa-f]{2}|%|[^%]+/g, (part) => (part.length === 3 && part.startsWith('%') ? reencodedByte(part) : encodeStrictly(part)));

function reencodedByte(encoded: string): string {
  const character = String.fromCharCode(parseInt(encoded.slice(1), 16));
  return /[A-Za-z0-9\-_.~]/.test(character) ? character : encoded.toUpperCase();
}

/** What is written anew on the way, or may be: no signature must depend on it. */
const unsigned = new Set([
  'authorization', 'user-agent', 'content-length', 'accept-encoding', 'cache-control', 'pragma', 'from', 'referer', 'max-forwards', 'expect', 'connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade',
  'traceparent', 'tracestate', 'baggage', 'x-amzn-trace-id',
]);

/** By name in lower case, each once, several rows as one list. */
function canonicalHeaders(host: string, headers: readonly string[]): (readonly [name: string, value: string])[] {
  const values = new Map([['host', host]]);
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = (headers[index] as string).toLowerCase();
    if (name === 'host' || unsigned.has(name)) continue;
    const value = (headers[index + 1] as string).replace(/[ \t]+/g, ' ').replace(/^ | $/g, '');
    const earlier = values.get(name);
    values.set(name, earlier === undefined ? value : `${earlier},${value}`);
  }
  return [...values].sort(([a], [b]) => compare(a, b));
}
