import { dropReasons, type Verdict } from '@gatehouse/header-policy';
import { expect, it } from 'vitest';
import { explainVerdict } from './explain-verdict.ts';

const dropped = (reason: Verdict['reason'], more: Partial<Verdict> = {}): Verdict => ({ name: 'X-A', action: 'dropped', ...(reason && { reason }), rule: 'rule-of-it', from: 'server', ...more });

it('every reason has a sentence of its own', () => {
  const sentences = dropReasons.map((reason) => explainVerdict(dropped(reason)));
  expect(new Set(sentences).size).toBe(dropReasons.length);
});

it.each(['restricted', 'not_selected', 'outbound_header_wins', 'pass_through_off', 'value_too_long', 'reserved'] as const)('%s names the rule', (reason) => {
  expect(explainVerdict(dropped(reason))).toContain('rule-of-it');
});

it.each([
  ['kept', 'global header policy'], ['renamed', 'X-B'], ['replaced', 'overwriteBaseHeaders'], ['set', 'rule-of-it'],
] as const)('%s says how', (action, words) => {
  expect(explainVerdict({ name: 'X-A', action, outgoingName: 'X-B', rule: 'rule-of-it', from: 'global' })).toContain(words);
});

it('what one reason means for X-Upstream-Authorization is said in its own words', () => {
  const rule = 'X-Upstream-Authorization';
  for (const reason of ['credential_not_forwardable', 'app_auth_wins'] as const) {
    expect(explainVerdict(dropped(reason, { rule }))).not.toBe(explainVerdict(dropped(reason)));
  }
});
