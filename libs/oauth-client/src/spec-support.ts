import { createServer, type IncomingHttpHeaders } from 'node:http';
import { Secret } from '@gatehouse/sealing';
import { afterAll, beforeAll } from 'vitest';
import { closeHttpServer, listenOnLoopback } from '../../../test/support/listen.ts';
import type { OAuthClient } from './oauth-client.ts';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface CannedAnswer {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Break off instead: before the request was read, or once it was. */
  readonly reset?: boolean;
  readonly hang?: boolean;
}

export interface TokenEndpoint {
  readonly url: string;
  readonly received: ReceivedRequest[];
  /** Each request takes the next one; the last one stays. */
  answer(...answers: readonly CannedAnswer[]): void;
  client(overrides?: Partial<OAuthClient>): OAuthClient;
}

/** A token endpoint that says what a spec wants it to say. */
export function useTokenEndpoint(): TokenEndpoint {
  const received: ReceivedRequest[] = [];
  let answers: CannedAnswer[] = [];
  let url = '';
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => void (body += chunk.toString()));
    request.on('end', () => {
      received.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers, body });
      const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
      if (answer.reset) return void request.socket.destroy();
      if (answer.hang) return;
      response.writeHead(answer.status ?? 200, { 'Content-Type': answer.type ?? 'application/json', ...answer.headers }).end(answer.body ?? '{}');
    });
  });
  beforeAll(async () => void (url = `http://127.0.0.1:${await listenOnLoopback(server)}`));
  afterAll(() => closeHttpServer(server));
  return {
    get url() {
      return url;
    },
    received,
    answer: (...next) => {
      answers = [...next];
      received.length = 0;
    },
    client: (overrides = {}) => ({
      tokenUrl: `${url}/token`, revocationUrl: `${url}/revoke`, clientId: 'client-1', authentication: { method: 'post', secret: new Secret('the-client-secret') },
      fetch: (input, init) => fetch(input, init), ...overrides,
    }),
  };
}

export const secretsOfSpec = { code: 'the-code-0123456789abcdef', refresh: 'the-refresh-token-0123456789' } as const;
