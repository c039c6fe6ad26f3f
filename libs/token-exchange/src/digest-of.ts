import { hash } from 'node:crypto';
import { Secret } from '@gatehouse/sealing';

/** Names a configuration with its secrets, and shows none of them. */
export function digestOf(config: object): string {
  // A secret says nothing as JSON, and has done so before the replacer is asked: what it was is in the object itself.
  const text = JSON.stringify(config, function (this: Record<string, unknown>, key, value: unknown) {
    const original = this[key];
    return original instanceof Secret ? original.reveal() : value;
  });
  return hash('sha256', text, 'base64url');
}
