import { applyHeaderRules, type HeaderRules } from '@gatehouse/header-policy';
import { noGlobalPolicy } from '@gatehouse/gateway-config';
import { compileHeaderRules } from '@gatehouse/upstream-request';
import { type CallTime, timeCalls, type Timing } from './time-calls.ts';

const names = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? `X-Tenant-${index}` : index % 3 === 1 ? `X-Internal-${index}` : `X-Other-${index}`));
const rows = names.flatMap((name) => [name, `${name}: a value of some length, as headers have them`]);
const mappings = names.filter((name) => name.startsWith('X-Tenant')).map((source) => ({ source, target: `${source}-Out` }));
const restricted = ['x-internal-*', '*-secret', 'x-*-token', ...Array.from({ length: 7 }, (_, index) => `x-team-${index}-*`)];

/** 20 rules (10 mappings, 10 patterns) over 30 headers: a third leaves renamed, a third is restricted, a third not selected. */
export async function timeHeaderPolicy(timing: Timing): Promise<CallTime> {
  const rules: HeaderRules = compileHeaderRules(
    {
      headerPolicy: { mode: 'mappings', mappings, restricted },
      agentAuth: { forwardsAuthorization: true, restrictedHeaders: [] },
      appAuth: { type: 'none', headerNames: [], storesCredential: false },
      outboundHeaders: [],
    },
    noGlobalPolicy,
  );
  const { verdicts } = applyHeaderRules(rules, rows, undefined, []);
  if (verdicts.filter(({ action }) => action === 'renamed').length !== 10) throw new Error('the policy does not do what is measured');
  const bytes = rows.map((row) => Buffer.from(row, 'latin1'));
  // Fresh strings, as none from a socket was seen before.
  const fresh = (count: number): string[][] => Array.from({ length: count }, () => bytes.map((row) => row.toString('latin1')));
  return timeCalls(timing, fresh, (headers) => applyHeaderRules(rules, headers, undefined, []), false);
}
