import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { type ApiAnswer, presetLimits } from '@gatehouse/api-tools';
import { GatewayError } from '@gatehouse/errors';
import type { UpstreamResponse } from '../pipeline/request.ts';

/**
 * An API's answer, read as far as a tool's result goes; what is longer ends the exchange.
 * @param maxMs from its head to its end: an answer that never ends is none
 * @throws GatewayError upstream_timeout, upstream_failed, caller_disconnected
 */
export async function readAnswer(response: UpstreamResponse, maxMs: number): Promise<ApiAnswer> {
  const { status, headers } = response;
  const contentType = textOf(headers['content-type']);
  const encoding = textOf(headers['content-encoding'])?.trim().toLowerCase();
  const limit = limitOf(status, contentType);
  if (encoding === undefined || encoding === 'identity') return { status, contentType, ...(await readBody(response, limit, maxMs)) };
  return { status, contentType, ...(await decoded(encoding, await readBody(response, presetLimits.maxBinaryBytes, maxMs), limit)) };
}

interface ReadBody {
  readonly body: Buffer;
  readonly truncated: boolean;
}

const textOf = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

function limitOf(status: number, contentType = ''): number {
  if (status < 200 || status > 299) return presetLimits.maxErrorBytes;
  return /^\s*(text\/|[^;]+[/+](json|xml)\b)/i.test(contentType) ? presetLimits.maxTextBytes : presetLimits.maxBinaryBytes;
}

function readBody({ body }: UpstreamResponse, limit: number, maxMs: number): Promise<ReadBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let timer: NodeJS.Timeout | undefined;
    let isOver = false;
    const over = (truncated: boolean): void => {
      isOver = true;
      clearTimeout(timer);
      resolve({ body: Buffer.concat(chunks).subarray(0, limit), truncated });
    };
    body.pipe({
      write: (chunk) => {
        if (isOver) return true;
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > limit) {
          over(true);
          body.abort();
        }
        return true;
      },
      end: () => over(false),
      fail: (error) => {
        isOver = true;
        clearTimeout(timer);
        reject(error);
      },
    });
    // Mostly all of it is here already.
    if (!isOver) timer = setTimeout(() => {
      reject(new GatewayError('upstream_timeout', { detail: 'the answer did not end in time' }));
      body.abort();
    }, maxMs);
  });
}

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** Nobody asked for it, but some APIs compress whatever they answer: no further than a plain answer is read. */
async function decoded(encoding: string, { body, truncated }: ReadBody, limit: number): Promise<ReadBody> {
  const createDecoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (body.length === 0) return { body, truncated };
  if (createDecoder === undefined) throw new GatewayError('upstream_failed', { detail: 'an answer in an encoding that nobody asked for' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of createDecoder().end(body) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > limit) break;
    }
  } catch (cause) {
    // Of what is cut the end is missing, and that is known.
    if (!truncated || bytes === 0) throw new GatewayError('upstream_failed', { detail: 'a compressed answer that cannot be read', cause });
  }
  return { body: Buffer.concat(chunks).subarray(0, limit), truncated: truncated || bytes > limit };
}
