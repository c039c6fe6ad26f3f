import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyRingOf } from './key-ring.ts';
import { seal, sealedTerm, unseal, UnsealError } from './seal.ts';

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)];
const ring = keyRingOf([oldKey], 'spec');
const context = ['workspace', 'servers', 'row-1', '/appAuth/value'];

const reasonOf = (act: () => unknown): string | undefined => {
  try {
    act();
  } catch (error) {
    return error instanceof UnsealError ? error.reason : String(error);
  }
  return undefined;
};

describe('a sealed value', () => {
  it('opens where it belongs', () => {
    expect(unseal(ring, context, seal(ring, context, 'grüße')).toString('utf8')).toBe('grüße');
    expect(unseal(ring, context, seal(ring, context, '')).length).toBe(0);
  });

  it.each([
    ['another workspace', ['other', 'servers', 'row-1', '/appAuth/value']],
    ['another row', ['workspace', 'servers', 'row-2', '/appAuth/value']],
    ['another field', ['workspace', 'servers', 'row-1', '/appAuth/token']],
    ['parts that only join to the same text', ['workspaceservers', '', 'row-1', '/appAuth/value']],
    ['fewer parts', ['workspace', 'servers', 'row-1']],
  ])('does not open for %s', (_name, elsewhere) => {
    expect(reasonOf(() => unseal(ring, elsewhere, seal(ring, context, 'x')))).toBe('not_authentic');
  });

  it('does not open with any byte changed', () => {
    const sealed = seal(ring, context, 'value');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed[index] = (changed[index] as number) ^ 1;
      expect(reasonOf(() => unseal(ring, context, changed))).toMatch(/malformed|unknown_term|not_authentic/);
    }
  });

  it.each([0, 1, 5, 32])('of only %i bytes is malformed', (length) => {
    expect(reasonOf(() => unseal(ring, context, Buffer.alloc(length, 1)))).toBe('malformed');
  });

  it('is never the same twice', () => {
    expect(seal(ring, context, 'x').equals(seal(ring, context, 'x'))).toBe(false);
  });

  it('opens under an older key that the ring still holds, and not without it', () => {
    const sealed = seal(ring, context, 'x');
    const rotated = keyRingOf([newKey, oldKey], 'spec');
    expect(unseal(rotated, context, sealed).toString()).toBe('x');
    expect(sealedTerm(seal(rotated, context, 'x'))).not.toBe(sealedTerm(sealed));
    expect(reasonOf(() => unseal(keyRingOf([newKey], 'spec'), context, sealed))).toBe('unknown_term');
  });

  it('does not open under the same key for another purpose', () => {
    expect(reasonOf(() => unseal(keyRingOf([oldKey], 'other'), context, seal(ring, context, 'x')))).toBe('unknown_term');
  });
});
