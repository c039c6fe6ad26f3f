import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { type TokenAnswer, type TokenRequest, tokenRequest, tokensPath } from '@gatehouse/access-tokens';
import { closeHttpServer, listenOnLoopback } from './listen.ts';

export interface SpecBroker {
  /** What a data plane needs to ask it. */
  readonly environment: Record<string, string>;
  readonly requests: TokenRequest[];
  /** Of each of them. */
  readonly traceparents: (string | undefined)[];
  /** Decides from now on; nothing = the broker is away. */
  answer(decide: ((request: TokenRequest) => TokenAnswer) | undefined): void;
  /** The next request gets no answer, and loses its connection. */
  breakOff(): void;
  /** The next request gets no answer, and its connection stays open: as of a process that stands still. */
  standStill(): void;
  close(): Promise<void>;
}

const token = 'the-token-that-the-planes-share';

/** The control plane's broker as data planes see it, over HTTP; it gives what a spec says. */
export async function startSpecBroker(): Promise<SpecBroker> {
  const requests: TokenRequest[] = [];
  const traceparents: (string | undefined)[] = [];
  let decide: ((request: TokenRequest) => TokenAnswer) | undefined;
  let isBroken = false;
  let isStill = false;
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      if (isStill) return void (isStill = false);
      if (decide === undefined || isBroken) {
        isBroken = false;
        return void response.destroy();
      }
      if (request.headers.authorization !== `Bearer ${token}` || request.url !== tokensPath) return void response.writeHead(401).end('{}');
      const asked = JSON.parse(body) as TokenRequest;
      // Servers of specs have names for ids.
      if (!tokenRequest.safeParse({ ...asked, server: '01919e1c-0000-7000-8000-000000000001' }).success) return void response.writeHead(400).end('{}');
      requests.push(asked);
      traceparents.push(request.headers['traceparent'] as string | undefined);
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(decide(asked)));
    });
  });
  const port = await listenOnLoopback(server);
  return {
    environment: { GATEHOUSE_INTERNAL_URL: `http://127.0.0.1:${port}`, GATEHOUSE_DATA_PLANE_TOKEN: token },
    requests,
    traceparents,
    answer: (next) => void (decide = next),
    breakOff: () => void (isBroken = true),
    standStill: () => void (isStill = true),
    close: () => closeHttpServer(server),
  };
}
