import { completeServer, noGlobalPolicy } from '@gatehouse/gateway-config';
import { prepareServer } from '@gatehouse/upstream-request';
import { expect, it } from 'vitest';
import { someone } from './caller-authentication.ts';
import { explainRequest } from './explain-request.ts';
import { presentExplanation } from './present-explanation.ts';
import { readGivenRequest } from './read-given-request.ts';

const account = { type: 'aws-sigv4', region: 'eu-central-1', service: 'execute-api', accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'the-secret-access-key', sessionToken: 'the-session-token-0123456789' };
const names = ['X-Amz-Date', 'X-Amz-Content-Sha256', 'X-Amz-Security-Token', 'Authorization'];

it('shows where a signature goes, and neither the signature nor the key', async () => {
  const document = completeServer.parse({ name: 'orders', type: 'mcp', upstream: { url: 'https://up.example/mcp' }, agentAuth: { type: 'passthrough' }, appAuth: account, headerPolicy: { mode: 'all' } });
  const server = prepareServer('01919e1c-0000-7000-8000-000000000001', 'default', document);
  const given = readGivenRequest({ request: { headers: ['X-Amz-Date: 20150830T123600Z', 'X-Tenant: acme'], body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' } });
  const explained = await explainRequest(server, noGlobalPolicy, given, () => Promise.resolve(someone));
  const { request, verdicts, credentials } = presentExplanation(given, explained, server);
  const added = request?.headers.filter(({ name }) => names.includes(name));
  expect(added?.map(({ name, secret }) => [name, secret])).toEqual(names.map((name) => [name, true]));
  expect(credentials).toEqual(names.map((name) => ({ source: 'appAuth aws-sigv4', location: { in: 'header', name } })));
  expect(verdicts.map(({ name, action, reason }) => [name, action, reason])).toEqual(
    expect.arrayContaining([['X-Amz-Date', 'dropped', 'app_auth_wins'], ['X-Tenant', 'kept', undefined], ...names.map((name) => [name, 'set', undefined])]),
  );
  const signature = /Signature=(\w+)/.exec(explained.headers.find(({ name }) => name === 'Authorization')?.value ?? '')?.[1];
  const shown = JSON.stringify({ request, verdicts, credentials });
  for (const secret of [signature, account.secretAccessKey, account.sessionToken]) expect(shown).not.toContain(secret);
});
