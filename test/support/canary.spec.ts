import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCanaries, findCanariesInFolder, makeCanary } from './canary.ts';

const canary = makeCanary('key');
const encoded = (prefix: string, encoding: BufferEncoding): string => Buffer.from(`${prefix}${canary}!?`).toString(encoding);

describe('findCanaries', () => {
  it.each([
    ['plain', `Bearer ${canary},`],
    ['base64', encoded('', 'base64')],
    ['base64', encoded('a', 'base64')],
    ['base64', encoded('ab', 'base64')],
    ['base64', encoded('user:', 'base64')],
    ['base64url', encoded('>>>', 'base64url')],
    ['hex', encoded('q', 'hex')],
    ['hex', encoded('q', 'hex').toUpperCase()],
    ['percent', canary.replaceAll('-', '%2D')],
    ['percent', encoded('', 'hex').replaceAll(/../g, '%$&')],
  ])('finds the %s form in %s', (form, haystack) => {
    expect(findCanaries(haystack, [canary]).map((sighting) => sighting.form)).toContain(form);
  });

  it('finds it between bytes that are no text', () => {
    const bytes = Buffer.concat([Buffer.from([0, 255, 192]), Buffer.from(canary), Buffer.from([254])]);
    expect(findCanaries(bytes, [canary])).toEqual([{ canary, form: 'plain', offset: 3 }]);
  });

  it('finds nothing where there is another canary', () => {
    expect(findCanaries(makeCanary('key'), [canary])).toEqual([]);
  });
});

it('names the file below a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'canary-'));
  const file = join(folder, 'cache.bin');
  await writeFile(file, `key=${canary}`);
  expect(await findCanariesInFolder(folder, [canary])).toEqual([{ canary, form: 'plain', file, offset: 4 }]);
  await rm(folder, { recursive: true });
});
