import { readFile } from 'node:fs/promises';
import { dropReasons } from '@gatehouse/header-policy';
import { beforeAll, expect, it } from 'vitest';
import { explainInput } from '../../apps/control-plane/src/servers/explain/explain-input.ts';
import { explanation } from '../../apps/control-plane/src/servers/explain/explanation.ts';
import { explainVerdict } from '../../apps/control-plane/src/servers/explain/explain-verdict.ts';
import { readGivenRequest } from '../../apps/control-plane/src/servers/explain/read-given-request.ts';

let document: string;
let examples: unknown[];

beforeAll(async () => {
  document = await readFile(new URL('../../docs/explain.md', import.meta.url), 'utf8');
  examples = [...document.matchAll(/```json\n([\s\S]*?)```/g)].map(([, text = '']) => JSON.parse(text) as unknown);
});

it('every request that is shown is understood, in each of the three forms', () => {
  const requests = examples.slice(0, -1);
  expect(requests.flatMap((request) => Object.keys(request as object))).toEqual(['request', 'curl', 'har']);
  for (const request of requests) expect(readGivenRequest(explainInput.parse(request)).rows.map((row) => row.toLowerCase())).toContain('x-tenant');
});

it('the answer that is shown is one, with the sentences that are given', () => {
  const answer = explanation.parse(examples.at(-1));
  for (const { explanation: sentence, reason, outgoingName, ...verdict } of answer.verdicts) {
    expect(explainVerdict({ ...verdict, ...(reason && { reason }), ...(outgoingName && { outgoingName }) })).toBe(sentence);
  }
});

it('every reason and every field of the answer is explained', () => {
  for (const name of [...dropReasons, ...Object.keys(explanation.shape)]) expect(document, name).toMatch(new RegExp(`^\\| \`${name}\``, 'm'));
});
