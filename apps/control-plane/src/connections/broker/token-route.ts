import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { tokenRequest } from '@gatehouse/access-tokens';
import { GatewayError, toGatewayError } from '@gatehouse/errors';
import type { Secret } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import type { InternalRoute } from '../../health/internal-server.ts';
import type { TokenBroker } from './token-broker.service.ts';

const maxBytes = 16_384;

/** `POST /internal/tokens`: only for those who show the token that the planes share. */
export function tokenRoute(broker: Pick<TokenBroker, 'answer'>, token: Secret | undefined, logger: Logger): InternalRoute {
  const expected = token && digest(`Bearer ${token.reveal()}`);
  return async (request) => {
    if (!expected) return { status: 503, body: { code: 'token_broker_off', detail: 'GATEHOUSE_DATA_PLANE_TOKEN is not set on this control plane.' } };
    // Digests have one length, whatever was sent, and comparing them takes one time.
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) return { status: 401, body: { code: 'unauthenticated' } };
    if (request.method !== 'POST') return { status: 405, body: { code: 'method_not_allowed' } };
    try {
      const parsed = tokenRequest.safeParse(await readJson(request));
      if (!parsed.success) return { status: 400, body: { code: 'invalid_request' } };
      return { status: 200, body: await broker.answer(parsed.data) };
    } catch (thrown) {
      const error = toGatewayError(thrown);
      logger[error.level]({ err: error }, 'a token could not be given');
      return { status: error.status, body: { code: error.code } };
    }
  };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new GatewayError('body_too_large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new GatewayError('malformed_json');
  }
}
