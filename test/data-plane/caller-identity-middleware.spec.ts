import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, requireCaller } from '../../examples/caller-identity/middleware.ts';
import { ana, signAccessToken } from '../support/access-token.ts';
import { makeIdentityKey } from '../support/identity-key.ts';
import { type InProcessDataPlane, startPublicDataPlane } from '../support/in-process-data-plane.ts';
import { closeHttpServer, listenOnLoopback } from '../support/listen.ts';
import { headerValue, type RecordedRequest, startRecordingUpstream } from '../support/recording-upstream.ts';
import { runCommand } from '../support/run-command.ts';
import { makeSigningKey, type SigningKey, startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts';

/* The middleware that examples/ has for upstreams: what the gateway signs gets through, and nothing else does. */

const examples = fileURLToPath(new URL('../../examples/caller-identity/', import.meta.url));
const audience = 'orders';
const outboundHeaders = [{ name: 'X-Caller', source: { type: 'caller-identity', signed: true, audience } }] as const;

/** In the control plane's place: it publishes the key set at every path, and signs agents' tokens. */
let controlPlane: TokenIssuer;
let dataPlane: InProcessDataPlane;
let upstream: Server;
let upstreamUrl: string;
let strictUrl: string;
/** Who may call an upstream of agents only. */
const strict = { kinds: ['token'], workspace: 'sales', server: 'orders' } as const;
/** By name, with what an upstream answers, and what one that is strict does. */
let tokens: [name: string, token: string, status: number, strictly: number][];

beforeAll(async () => {
  [controlPlane, dataPlane] = await Promise.all([startTokenIssuer(), startPublicDataPlane()]);
  const { published, signing } = await makeIdentityKey('identity');
  controlPlane.publish(controlPlane.key.publicJwk, published);
  await dataPlane.publishAuthorizationServer(controlPlane);
  await dataPlane.publishIdentityKeys(controlPlane.url, [signing]);
  const { key } = controlPlane;
  tokens = [['the gateway’s', await tokenOfGateway(), 200, 401], ...(await forgeries(key))];

  const [middleware, strictly] = [{}, strict].map((more) => requireCaller({ issuer: controlPlane.url, audience, ...more }));
  upstream = createServer((request, response) => {
    void (request.url === '/strict' ? strictly : middleware)?.(request, response, () => void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(callerOf(request))));
  });
  upstreamUrl = `http://127.0.0.1:${await listenOnLoopback(upstream)}`;
  strictUrl = `${upstreamUrl}/strict`;
  await dataPlane.publish({ name: 'typescript', upstream: { url: upstreamUrl }, agentAuth: { type: 'interactive' }, outboundHeaders: [...outboundHeaders] });
});
afterAll(async () => {
  await dataPlane.close();
  await Promise.all([closeHttpServer(upstream), controlPlane.close()]);
});

async function callAsAna(server: string): Promise<Response> {
  const url = `${dataPlane.url}/mcp/default/${server}`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${await signAccessToken(controlPlane, url)}` };
  return fetch(url, { method: 'POST', headers, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
}

/** As an upstream gets it. */
async function tokenOfGateway(): Promise<string> {
  const recording = await startRecordingUpstream();
  await dataPlane.publish({ name: 'recording', upstream: { url: recording.url }, agentAuth: { type: 'interactive' }, outboundHeaders: [...outboundHeaders] });
  await callAsAna('recording');
  await recording.close();
  return headerValue(recording.requests[0] as RecordedRequest, 'x-caller') ?? '';
}

async function forgeries(key: SigningKey): Promise<typeof tokens> {
  const stranger = await makeSigningKey('ES256', key.kid);
  const sign = (claims: object = {}, header: object = {}, by = key): Promise<string> =>
    controlPlane.sign({ aud: audience, kind: 'person', iat: Math.floor(Date.now() / 1000), ...claims }, { header: { typ: 'caller-identity+jwt', ...header }, key: by });
  const good = await sign();
  const [head = '', payload = '', signature = ''] = good.split('.');
  const ofToken = { ...strict, kinds: undefined, kind: 'token' };
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return [
    // That the others are refused for what they are.
    ['one like it', good, 200, 401],
    ['none', '', 401, 401],
    ['no token', 'token', 401, 401],
    ['a token of another type', await sign({}, { typ: 'at+jwt' }), 401, 401],
    ['one for another upstream', await sign({ aud: 'billing' }), 401, 401],
    ['one of another issuer', await sign({ iss: 'https://other.example' }), 401, 401],
    ['one that has expired', await sign({ exp: Math.floor(Date.now() / 1000) - 120 }), 401, 401],
    ['one that never expires', await sign({ exp: undefined }), 401, 401],
    ['one of nobody', await sign({ sub: undefined }), 401, 401],
    ['one signed by somebody else', await sign({}, {}, stranger), 401, 401],
    ['one signed with a key that nobody has', await sign({}, { kid: 'unheard-of' }, stranger), 401, 401],
    ['one with another payload', `${head}.${encode({ iss: controlPlane.url, aud: audience, sub: 'admin', kind: 'person', exp: 9_999_999_999 })}.${signature}`, 401, 401],
    ['one without a signature', `${head}.${payload}.`, 401, 401],
    ['one that says it needs none', `${encode({ alg: 'none', typ: 'caller-identity+jwt' })}.${payload}.`, 401, 401],
    ['one of a token', await sign(ofToken), 401, 200],
    ['one of a token, of another workspace', await sign({ ...ofToken, workspace: 'support' }), 401, 401],
    ['one of a token, by another server', await sign({ ...ofToken, server: 'billing' }), 401, 401],
    ['one of a token, of whoever knows where', await sign({ kind: 'token' }), 401, 401],
    ['one of a person there', await sign({ ...ofToken, kind: 'person' }), 200, 401],
    ['one of a service account', await sign({ kind: 'service-account' }), 200, 401],
    ['one of no kind', await sign({ ...ofToken, kind: undefined }), 401, 401],
    ['one of several kinds', await sign({ ...ofToken, kind: ['person', 'token'] }), 401, 401],
  ];
}

const expected = (): [string, number, number][] => tokens.map(([name, , status, strictly]) => [name, status, strictly]);

describe('TypeScript', () => {
  it('knows who calls through the gateway', async () => {
    const response = await callAsAna('typescript');
    expect([response.status, await response.json()]).toEqual([200, expect.objectContaining({ sub: ana.sub, email: ana.email, act: { sub: 'client-1' } })]);
  });

  it('lets through what the gateway signed, and nothing else', async () => {
    const statuses: [string, number, number][] = [];
    const statusOf = async (url: string, token: string): Promise<number> => (await fetch(url, token === '' ? {} : { headers: { 'x-caller': token } })).status;
    for (const [name, token] of tokens) statuses.push([name, await statusOf(upstreamUrl, token), await statusOf(strictUrl, token)]);
    expect(statuses).toEqual(expected());
  });

  it('does not choose between two', async () => {
    const token = tokens[0]?.[1] ?? '';
    expect((await fetch(upstreamUrl, { headers: [['x-caller', token], ['x-caller', token]] })).status).toBe(401);
  });
});

const python = ['python3', '/usr/bin/python3'].find((command) => spawnSync(command, ['-c', 'import jwt, cryptography']).status === 0);
const hasGo = spawnSync('go', ['version']).status === 0;
const ofAna = (): unknown => expect.objectContaining({ sub: ana.sub });

async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'caller-identity-'));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Each with its answers: the status, and who calls. */
async function answersOf(command: string, args: string[], cwd: string): Promise<{ statuses: [string, number, number][]; callers: unknown[] }> {
  const env = { ...process.env, ISSUER: controlPlane.url, AUDIENCE: audience, TOKENS: JSON.stringify(tokens.map(([, token]) => token)), PYTHONDONTWRITEBYTECODE: '1', GOFLAGS: '-mod=mod', GOPROXY: 'off' };
  const { stdout, stderr } = await runCommand(command, args, { cwd, env });
  expect(stdout, stderr).not.toBe('');
  const answers = JSON.parse(stdout) as { status: number; strictly: number; caller: unknown }[];
  return { statuses: answers.map(({ status, strictly }, index) => [tokens[index]?.[0] ?? '', status, strictly]), callers: answers.filter(({ status }) => status === 200).map(({ caller }) => caller) };
}

if (python !== undefined) {
  it('Python lets through what the gateway signed, and nothing else', async () => {
    const main = `
import asyncio, json, os, sys
sys.path.insert(0, ${JSON.stringify(examples)})
from middleware import RequireCaller

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(scope["state"]["caller"]).encode()})

async def main():
    place, answers = (os.environ["ISSUER"], os.environ["AUDIENCE"]), []
    guarded, strict = RequireCaller(app, *place), RequireCaller(app, *place, kinds=["token"], workspace="sales", server="orders")
    for token in json.loads(os.environ["TOKENS"]):
        sent = []
        async def send(message): sent.append(message)
        headers = [(b"x-caller", token.encode())] if token else []
        for upstream in (guarded, strict):
            await upstream({"type": "http", "headers": headers}, None, send)
        answers.append({"status": sent[0]["status"], "caller": json.loads(sent[1]["body"]), "strictly": sent[2]["status"]})
    print(json.dumps(answers))

asyncio.run(main())
`;
    const { statuses, callers } = await answersOf(python, ['-c', main], tmpdir());
    expect(statuses).toEqual(expected());
    expect(callers[0]).toEqual(ofAna());
  });
}

if (hasGo) {
  // With nothing compiled yet, the standard library is.
  it('Go lets through what the gateway signed, and nothing else', { timeout: 300_000 }, () =>
    inFolder(async (folder) => {
      await mkdir(join(folder, 'calleridentity'));
      await copyFile(`${examples}middleware.go`, join(folder, 'calleridentity/middleware.go'));
      await writeFile(join(folder, 'go.mod'), 'module example\n\ngo 1.21\n');
      await writeFile(join(folder, 'main.go'), `package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"

	"example/calleridentity"
)

type answer struct {
	Status   int                    \`json:"status"\`
	Strictly int                    \`json:"strictly"\`
	Caller   *calleridentity.Caller \`json:"caller"\`
}

func main() {
	var tokens []string
	_ = json.Unmarshal([]byte(os.Getenv("TOKENS")), &tokens)
	var caller *calleridentity.Caller
	seen := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller = calleridentity.From(r.Context())
	})
	rules := calleridentity.Rules{Issuer: os.Getenv("ISSUER"), Audience: os.Getenv("AUDIENCE")}
	guarded := calleridentity.Require(rules, seen)
	rules.Kinds, rules.Workspace, rules.Server = []string{"token"}, "sales", "orders"
	strict := calleridentity.Require(rules, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	var answers []answer
	for _, token := range tokens {
		request, response, strictly := httptest.NewRequest("POST", "/", nil), httptest.NewRecorder(), httptest.NewRecorder()
		if token != "" {
			request.Header.Set("X-Caller", token)
		}
		guarded.ServeHTTP(response, request)
		strict.ServeHTTP(strictly, request)
		answers = append(answers, answer{response.Code, strictly.Code, caller})
	}
	_ = json.NewEncoder(os.Stdout).Encode(answers)
}
`);
      const { statuses, callers } = await answersOf('go', ['run', '.'], folder);
      expect(statuses).toEqual(expected());
      expect(callers[0]).toEqual(ofAna());
    }),
  );
}
