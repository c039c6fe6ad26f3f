import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { closeHttpServer, listenOnLoopback } from './listen.ts';
import { headerPairs, headerValue, type RecordedRequest } from './recording-upstream.ts';

export interface Sigv4Account {
  readonly region: string;
  readonly service: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Sigv4Gate {
  readonly origin: string;
  /** What was let through, with the names that its signature covers. */
  readonly admitted: (RecordedRequest & { readonly signedHeaders: readonly string[] })[];
  /** What was not. */
  readonly refused: RecordedRequest[];
  close(): Promise<void>;
}

/**
 * What stands in front of an upstream behind AWS IAM: it computes the signature of the raw request that it got, by AWS's own code,
 * and lets through what has the same. Answers are passed on as they come.
 */
export async function startSigv4Gate(account: Sigv4Account, target: string): Promise<Sigv4Gate> {
  const admitted: Sigv4Gate['admitted'] = [];
  const refused: RecordedRequest[] = [];
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', rawHeaders } = incoming;
    const request = { method, url, rawHeaders, body: await buffer(incoming) };
    const signedHeaders = await signedHeadersOf(account, request);
    if (signedHeaders === undefined) {
      refused.push(request);
      return void response.writeHead(403, { 'content-type': 'application/json' }).end('{"message":"The request signature we calculated does not match the signature you provided."}');
    }
    admitted.push({ ...request, signedHeaders });
    await passOn(new URL(target), request, response);
  };
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => void response.destroy(error as Error));
  });
  const port = await listenOnLoopback(server);
  return { origin: `http://127.0.0.1:${port}`, admitted, refused, close: () => closeHttpServer(server) };
}

/** Undefined where the signature is not this account's, or not this request's. */
async function signedHeadersOf({ sessionToken, ...account }: Sigv4Account, request: RecordedRequest): Promise<string[] | undefined> {
  const given = headerValue(request, 'authorization') ?? '';
  const names = /SignedHeaders=([^,]*)/.exec(given)?.[1]?.split(';') ?? [];
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(headerValue(request, 'x-amz-date') ?? '');
  if (date === null || !names.includes('host') || !names.includes('x-amz-date')) return undefined;
  if (headerValue(request, 'x-amz-content-sha256') !== createHash('sha256').update(request.body).digest('hex')) return undefined;
  if (headerValue(request, 'x-amz-security-token') !== sessionToken) return undefined;
  const [, year, month, day, hour, minute, second] = date;
  const { region, service, ...credentials } = account;
  // Of the object stores the paths are encoded once (IAM User Guide, “Create a signed AWS API request”).
  const signer = new SignatureV4({ region, service, credentials: { ...credentials, ...(sessionToken !== undefined && { sessionToken }) }, sha256: Sha256, uriEscapePath: service !== 's3' });
  const { host = '' } = Object.fromEntries(headerPairs(request).map(([name, value]) => [name.toLowerCase(), value]));
  const [path = '', query = ''] = request.url.split('?');
  const { headers } = await signer.sign(
    { method: request.method, protocol: 'http:', hostname: host, path, query: queryOf(query), headers: Object.fromEntries(names.map((name) => [name, textOf(request, name)])), body: request.body },
    { signingDate: new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) },
  );
  return headers['authorization'] === given ? names : undefined;
}

/** Of the wire's bytes as UTF-8; several rows are one list. */
const textOf = (request: RecordedRequest, name: string): string => Buffer.from(headerPairs(request, name).map(([, value]) => value).join(','), 'latin1').toString('utf8');

function queryOf(query: string): Record<string, string[]> {
  const values: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(query)) (values[name] ??= []).push(value);
  return values;
}

async function passOn(target: URL, { method, url, rawHeaders, body }: RecordedRequest, response: ServerResponse): Promise<void> {
  const headers = rawHeaders.map((value, index) => (index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host' ? target.host : value));
  await new Promise<void>((resolve, reject) => {
    const outgoing = httpRequest({ host: target.hostname, port: target.port, method, path: url, headers }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.rawHeaders);
      answered.pipe(response).once('close', resolve);
    });
    outgoing.once('error', reject);
    response.once('close', () => outgoing.destroy());
    outgoing.end(body);
  });
}

/** As the signer wants its hash. */
class Sha256 {
  readonly #hash;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new TypeError('not needed');
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
