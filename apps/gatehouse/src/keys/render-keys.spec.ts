import { expect, it } from 'vitest';
import type { DataKey } from './data-keys.ts';
import { renderKeys } from './render-keys.ts';

const now = new Date('2026-11-21T12:00:00Z');
const key = (overrides: Partial<DataKey>): DataKey => ({
  workspace: 'default', term: 1, state: 'active', root: 'local:0a1b2c3d', sealedCount: 12, values: 7, unreadable: 0, rotationDue: false,
  createdAt: '2026-11-01T12:00:00Z', activatedAt: null, destroyedAt: null, ...overrides,
});

it('has a line for each key, and says what to look at', () => {
  const lines = renderKeys([
    key({}),
    key({ workspace: null, term: 2, state: 'decrypt-only', createdAt: '2026-11-21T09:00:00Z', values: 3, unreadable: 3 }),
    key({ workspace: 'sales', sealedCount: 300_000_000, rotationDue: true, createdAt: '2026-11-21T11:50:30Z', root: null }),
  ], now).split('\n').map((line) => line.split(/ {2,}/));
  expect(lines).toEqual([
    ['WORKSPACE', 'TERM', 'STATE', 'AGE', 'SEALED', 'VALUES', 'ROOT KEY'],
    ['default', '1', 'active', '20 d', '12', '7', 'local:0a1b2c3d'],
    ['(gateway)', '2', 'decrypt-only', '3 h', '12', '3', 'local:0a1b2c3d', '3 of its values cannot be opened'],
    ['sales', '1', 'active', '9 min', '300000000', '7', '–', 'due for rotation'],
  ]);
});

it('says so where there are none', () => {
  expect(renderKeys([], now)).toContain('no data keys');
});
