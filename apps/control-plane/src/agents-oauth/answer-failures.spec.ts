import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { expect, test } from 'vitest';
import { answerFailures } from './answer-failures.ts';

test.each<[string, Error, number, string]>([
  ['for the moment', new GatewayError('database_unavailable'), 503, 'temporarily_unavailable'],
  ['for good', new TypeError('secret detail'), 500, 'server_error'],
])('what fails around the library is logged as itself, and answered as OAuth has it: %s', async (_name, failure, status, error) => {
  const logged: unknown[] = [];
  const logger = { error: (entry: unknown) => logged.push(entry) } as unknown as Logger;
  const ctx = { status: 200, body: undefined as unknown, set: () => undefined };
  await answerFailures(logger)(ctx as unknown as KoaContextWithOIDC, () => Promise.reject(failure));
  expect([ctx.status, ctx.body]).toMatchObject([status, { error }]);
  expect(JSON.stringify(ctx.body)).not.toContain('secret detail');
  expect(logged).toEqual([{ err: failure }]);
});
