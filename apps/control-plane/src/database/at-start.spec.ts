import { GatewayError } from '@gatehouse/errors';
import { createLogger } from '@gatehouse/service-runtime';
import { expect, test } from 'vitest';
import { atStart } from './at-start.ts';

const logger = createLogger({ level: 'fatal', role: 'control-plane' });

test.each(['conflict', 'commit_unknown', 'database_unavailable'] as const)('%s passes: it is tried again, and told of', async (code) => {
  const reasons: string[] = [];
  let tries = 0;
  const stored = await atStart(() => ((tries += 1) === 1 ? Promise.reject(new GatewayError(code)) : Promise.resolve('stored')), { logger, onWaiting: (reason) => reasons.push(reason) });
  expect([stored, tries, reasons]).toEqual(['stored', 2, ['database']]);
});

test('anything else is no matter of waiting', async () => {
  const error = new TypeError('a mistake');
  await expect(atStart(() => Promise.reject(error), { logger, onWaiting: () => expect.unreachable() })).rejects.toBe(error);
});
