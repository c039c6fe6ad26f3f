import { hkdfSync } from 'node:crypto';

/** The key that the demo upstream demands: of this instance only, the same at every start, and in no file of its own. */
export function demoKeyOf(vaultKey: string): string {
  return `demo_${Buffer.from(hkdfSync('sha256', vaultKey, '', 'gatehouse/demo-upstream', 24)).toString('hex')}`;
}
