import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { refusalPage, refusalTexts } from './connect-pages.ts';
import { ConnectRefusal, type RefusalReason } from './connect-refusal.ts';

const reasons = Object.keys(refusalTexts) as RefusalReason[];

test('docs/connections.md explains every refusal', async () => {
  const text = await readFile(new URL('../../../../../docs/connections.md', import.meta.url), 'utf8');
  const rows = text.slice(text.indexOf('## When it does not work')).split('\n').filter((line) => line.startsWith('| `')).flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(rows.toSorted()).toEqual(reasons.toSorted());
});

test.each(reasons)('%s: what it says is text, whatever the app is called', (reason) => {
  const page = refusalPage(new ConnectRefusal(reason, { app: '<App>', words: '<i>', facts: { '<Name>': '<Value>' } }), '/login?a=1&b=2', 'request-1');
  expect(page).not.toMatch(/<App>|<i>|<Name>|<Value>|<script/);
  expect(page).toContain('/login?a=1&amp;b=2');
});
