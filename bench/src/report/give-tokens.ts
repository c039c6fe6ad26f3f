import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { type TokenAnswer, tokensPath } from '@gatehouse/access-tokens';
import type { BenchSecrets } from '../bench-secrets.ts';

export interface TokenGiver {
  /** Of a provider that exchanges tokens. */
  readonly tokenUrl: string;
  /** How data planes reach the broker. */
  readonly environment: Readonly<Record<string, string>>;
  /** How often a token was asked for: cached ones are not. */
  readonly asked: () => number;
  close(): Promise<void>;
}

const exchangePath = '/token';

/** In place of the control plane's broker and of a provider: both give what the upstream takes as a bearer. */
export async function startTokenGiver({ upstreamKey }: BenchSecrets): Promise<TokenGiver> {
  let asked = 0;
  const brokered: TokenAnswer = { status: 'token', accessToken: upstreamKey, connection: 'connection', owner: 'owner', person: 'person' };
  const exchanged = { access_token: upstreamKey, issued_token_type: 'urn:ietf:params:oauth:token-type:access_token', token_type: 'Bearer', expires_in: 86_400 };
  const answers = new Map<string | undefined, object>([[tokensPath, brokered], [exchangePath, exchanged]]);
  const server = createServer((request, response) => {
    asked += 1;
    const answer = answers.get(request.url);
    request.resume();
    request.on('end', () => void response.writeHead(answer === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    tokenUrl: url + exchangePath,
    environment: { GATEHOUSE_INTERNAL_URL: url, GATEHOUSE_DATA_PLANE_TOKEN: randomBytes(32).toString('hex') },
    asked: () => asked,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
