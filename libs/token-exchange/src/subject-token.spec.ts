import { AccessTokens, type TokenRequest } from '@gatehouse/access-tokens';
import { expect, it } from 'vitest';
import { server } from './spec-support.ts';
import { subjectTokenOf } from './subject-token.ts';

const ana = '01919e1c-0000-7000-8000-00000000a0a0';
const grant = '01919e1c-0000-7000-8000-000000000010';

it.each<[string, object]>([['grant', { grant }], ['person', {}]])('of a person is that of a login of theirs, by the %s that let their agent in', async (_by, by) => {
  const asked: TokenRequest[] = [];
  const tokens = new AccessTokens({
    now: Date.now,
    fetch: () => Promise.reject(new Error('nothing is fetched here')),
    post: (body) => {
      asked.push(JSON.parse(body) as TokenRequest);
      return Promise.resolve({ status: 200, body: JSON.stringify({ status: 'token', login: 'access-token', accessToken: 'of-the-login', connection: 'login', owner: 'corporate', person: ana }) });
    },
  });
  const caller = { id: `person:${ana}`, kind: 'person', name: 'Ana', groups: [], subject: ana, ...('grant' in by && { credential: grant }) } as const;
  expect((await subjectTokenOf(undefined, 'access-token', { server, caller, tokens }))?.value.reveal()).toBe('of-the-login');
  expect(asked).toEqual([{ server: server.id, subject: { person: ana }, login: 'access-token', ...by }]);
});
