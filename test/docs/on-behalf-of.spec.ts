import { readFile } from 'node:fs/promises';
import { errorCodes } from '@gatehouse/errors';
import { outboundHeaderRecipes, outboundHeaderSources } from '@gatehouse/outbound-headers';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { logIn, publicOrigin } from '../../apps/control-plane/src/spec-support/use-login.ts';
import { answerAsMcp } from '../support/answer-as-mcp.ts';
import { type EntraLike, entraClient, startEntraLike } from '../support/exchange-entra-like.ts';
import { startLoginExchange } from '../support/exchange-for-logins.ts';
import { atIdentityProvider, atTarget, type IdJagPair, startIdJagPair } from '../support/exchange-id-jag-pair.ts';
import type { ExchangeProvider } from '../support/exchange-provider.ts';
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';
import { type CallAnswer, linkIn, useGateway } from '../support/use-gateway.ts';

type Json = Record<string, unknown>;

const gateway = useGateway({ refreshTokens: true });
const text = await readFile(new URL('../../docs/on-behalf-of.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml = '']) => yaml);

/** Of callers who come with tokens of their own. */
let issuer: TokenIssuer;
let exchange: ExchangeProvider;
let entra: EntraLike;
let pair: IdJagPair;

beforeAll(async () => {
  issuer = await startTokenIssuer();
  [exchange, entra, pair] = await Promise.all([startLoginExchange(gateway.provider), startEntraLike(issuer), startIdJagPair({ logins: gateway.provider })]);
  for (const example of examples) {
    for (const { kind, ...document } of placed(example)) {
      if (kind === 'Server') await gateway.serve(document as Json & { name: string });
      else expect(await gateway.send('POST', '/credentials', document), example).toMatchObject({ status: 201 });
    }
  }
});
afterAll(async () => {
  await Promise.all([issuer, exchange, entra, pair].map((part) => part?.close()));
});

/** An example's documents as they are, but for where everything is, and what only whoever applies them knows. */
function placed(yaml: string): Json[] {
  const values: Readonly<Record<string, string>> = {
    'https://upstream.example/mcp': gateway.upstream.url,
    'https://exchange.example/token': exchange.tokenUrl,
    'https://entra.example/keys': issuer.jwksUrl,
    'https://entra.example': issuer.url,
    'https://obo.example/token': entra.tokenUrl,
    'https://assertions.example/token': pair.identityProvider.tokenUrl,
    'https://target.example': pair.target.issuer,
  };
  const secrets: Readonly<Record<string, string>> = {
    SEARCH_KEY: 'key-of-search', REPORTS_KEY: 'key-of-reports', EXCHANGE_SECRET: exchange.clientSecret, ENTRA_SECRET: entraClient.clientSecret,
    IDENTITY_PROVIDER_SECRET: atIdentityProvider.clientSecret, TARGET_SECRET: atTarget.clientSecret,
  };
  return parseAllDocuments(yaml).map((document) =>
    JSON.parse(JSON.stringify(document.toJS()), (_key, value: unknown) => {
      if (typeof value === 'string') return values[value] ?? value;
      const name = (value as { fromEnv?: string } | null)?.fromEnv;
      return name === undefined ? value : secrets[name];
    }) as Json,
  );
}

const bearer = (token: string | undefined): string => token?.replace(/^Bearer /, '') ?? '';
async function callAs(login: string, server: string, headers: Readonly<Record<string, string>> = {}): Promise<CallAnswer> {
  return gateway.call(server, { authorization: await gateway.authorizationOf(login, server), ...headers });
}
const withToken = async (claims: object = {}) => ({ authorization: `Bearer ${await issuer.sign({ aud: entraClient.clientId, ...claims })}` });

describe('every example works as it is said', () => {
  const served: string[] = [];

  it('P11 search: a key, and the token of the user’s login', async () => {
    served.push('search');
    expect((await callAs('ana', 'search')).status).toBe(200);
    expect(gateway.sent()).toEqual(['Bearer key-of-search']);
    const [token = ''] = gateway.sent('x-ms-query-source-authorization');
    expect(await (await fetch(`${gateway.provider.issuer}/me`, { headers: { Authorization: token } })).json()).toMatchObject({ sub: 'ana' });
  });

  it('P25 inventory: what the user’s token was exchanged for (RFC 8693)', async () => {
    served.push('inventory');
    const [ana, ben] = [await gateway.authorizationOf('ana', 'inventory'), await gateway.authorizationOf('ben', 'inventory')];
    for (const authorization of [ana, ben, ana]) expect((await gateway.call('inventory', { authorization })).status).toBe(200);
    const granted = gateway.sent().map((token) => exchange.granted.get(bearer(token)));
    expect(granted).toMatchObject(['ana', 'ben', 'ana'].map((subject) => ({ subject, clientId: exchange.clientId, audience: 'https://inventory.example', scope: 'read' })));
    expect([gateway.sent()[2], exchange.exchanges]).toEqual([gateway.sent()[0], 2]);
  });

  it('P25 graph: on behalf of whoever came with a token for the gateway’s client (RFC 7523)', async () => {
    served.push('graph');
    for (const sub of ['jo', 'kim']) expect((await gateway.call('graph', await withToken({ sub }))).status).toBe(200);
    expect(gateway.sent().map((token) => entra.granted.get(bearer(token)))).toMatchObject([{ subject: 'jo', scope: 'read' }, { subject: 'kim', scope: 'read' }]);
  });

  it('P25 tickets: an assertion for the user’s ID token, and the target’s token for that (ID-JAG)', async () => {
    served.push('tickets');
    for (const login of ['ana', 'ben']) expect((await callAs(login, 'tickets')).status).toBe(200);
    expect(gateway.sent().map((token) => pair.target.granted.get(bearer(token)))).toMatchObject(['ana', 'ben'].map((subject) => ({ subject, clientId: atTarget.clientId, scope: 'read' })));
    expect([pair.identityProvider.exchanges, pair.target.exchanges]).toEqual([2, 2]);
  });

  it('P11 P27 reports: all the others, beside each other', async () => {
    served.push('reports');
    const authorization = await gateway.authorizationOf('ana', 'reports');
    const asked = await gateway.call('reports', { authorization });
    expect(asked.text).toContain('tracker token');
    const browser = gateway.browser();
    await logIn(browser, 'ana');
    const page = await browser.open(linkIn(asked));
    expect(page.text).toContain('In the tracker, under Profile');
    await browser.submit(page, { value: 'anas-own' });

    expect((await gateway.call('reports', { authorization, 'X-Tenant': 'acme', 'X-Region': 'forged', 'X-User-Email': 'forged' })).status).toBe(200);
    const one = (name: string) => gateway.sent(name)[0];
    expect(['x-key', 'x-tracker', 'x-user-email', 'x-org', 'x-region'].map(one)).toEqual(['key-of-reports', 'Token anas-own', 'ana@corp.example', 'acme', 'eu']);
    expect(one('x-service')).toMatch(/^Bearer \S{20,}$/);
    const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', gateway.plane.url));
    const { payload } = await jwtVerify(one('x-caller') ?? '', keys, { issuer: publicOrigin, audience: gateway.upstream.origin, typ: 'caller-identity+jwt' });
    expect(payload).toMatchObject({ email: 'ana@corp.example', idp: 'corp', act: { sub: expect.any(String) as string } });
  });

  it('there is no other', () => {
    const names = examples.flatMap((example) => placed(example)).filter(({ kind }) => kind === 'Server').map(({ name }) => name);
    expect(names).toEqual(served);
  });
});

describe('the tables', () => {
  const rowsOf = (heading: string): string[] => text.slice(text.indexOf(heading)).split('\n## ')[0]?.split('\n').filter((line) => line.startsWith('| ')).slice(1) ?? [];

  it('every source has its row', () => {
    const rows = text.slice(0, text.indexOf('## ')).split('\n').filter((line) => line.startsWith('| '));
    for (const { type } of outboundHeaderSources) expect(rows.filter((row) => row.includes(`\`${type}\``)), type).not.toEqual([]);
  });

  it('the recipes are those that are served', () => {
    const row = ({ title, fields }: (typeof outboundHeaderRecipes)[number]) => `| ${title} | ${fields.map(({ pointer }) => `\`${pointer.slice(1).replaceAll('/', '.')}\``).join(', ')} |`;
    expect(rowsOf('## Recipes')).toEqual(outboundHeaderRecipes.map(row));
  });

  const failures = new Map(rowsOf('## When there is none').map((row) => row.split('|').map((cell) => cell.trim())).map(([, status = '', code = '']) => [code.replaceAll('`', ''), status.split(', ').map(Number)]));
  const provoked = new Set<string>();

  const onBehalf = (more: object = {}) => ({ type: 'on-behalf-of', tokenUrl: exchange.tokenUrl, clientId: exchange.clientId, clientSecret: exchange.clientSecret, audience: 'https://inventory.example', ...more });
  const header = (source: object) => [{ name: 'X-Second', source }];
  let names = 0;
  /** A server of its own for each case. */
  const serve = async (document: object): Promise<string> => {
    const name = `failing-${(names += 1)}`;
    await gateway.serve({ name, agentAuth: { type: 'interactive' }, ...document });
    return name;
  };
  const jwt = () => ({ type: 'passthrough', jwt: { jwksUrl: issuer.jwksUrl, issuer: issuer.url } });

  const cases: [string, () => Promise<CallAnswer>][] = [
    ['subject_token_expired', async () => gateway.call('graph', await withToken({ exp: Math.floor(Date.now() / 1000) - 5 }))],
    ['subject_token_missing', async () => gateway.call(await serve({ agentAuth: { type: 'passthrough' }, outboundHeaders: header({ type: 'caller-token' }) }))],
    ['claim_missing', async () => gateway.call(await serve({ agentAuth: jwt(), outboundHeaders: header({ type: 'caller-identity', claim: 'email' }) }), await withToken())],
    ['credential_missing', async () => callAs('ben', 'reports')],
    ['credential_refused', async () => {
      gateway.upstream.handle((_request, response) => void response.writeHead(401).end());
      return callAs('ana', 'reports');
    }],
    ['connection_needs_person', async () => gateway.call(await serve({ agentAuth: { type: 'passthrough' }, outboundHeaders: header({ type: 'credential', name: 'tracker-token', scope: 'user' }) }))],
    ['token_exchange_refused', async () => callAs('ana', await serve({ appAuth: onBehalf({ audience: 'https://unknown.example' }) }))],
    ['credential_unavailable', async () => callAs('ana', await serve({ outboundHeaders: header({ type: 'credential', name: 'not-there', scope: 'workspace' }) }))],
    ['upstream_rejected_credentials', async () => {
      gateway.upstream.handle((_request, response) => void response.writeHead(401).end());
      return callAs('ana', await serve({ appAuth: onBehalf({ audience: 'https://search.example' }) }));
    }],
    ['provider_unavailable', async () => {
      exchange.goAway();
      return callAs('ana', await serve({ appAuth: onBehalf({ scopes: ['write'] }) }));
    }],
  ];
  afterAll(() => exchange?.goAway(false));

  it.each(cases)('%s is answered where it is said to be', async (code, provoke) => {
    const answer = await provoke();
    provoked.add(code);
    expect(errorCodes).toHaveProperty(code);
    expect([failures.get(code)?.includes(answer.status), answer.text], answer.text).toEqual([true, expect.stringContaining(answer.status === 200 ? '/connect?link=' : `"code":"${code}"`)]);
    gateway.upstream.handle(answerAsMcp);
  });

  it('all of them were', () => expect([...failures.keys()].toSorted()).toEqual([...provoked].toSorted()));
});
