import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CanarySighting {
  canary: string;
  /** `plain`, `base64`, `base64url`, `hex` or `percent`. */
  form: string;
  /** The file, where a directory was searched. */
  file?: string;
  offset: number;
}

/** A secret that can be recognised wherever it turns up. */
export function makeCanary(purpose: string): string {
  return `canary-${purpose}-${randomBytes(12).toString('hex')}`;
}

/** Where the canaries occur in `haystack`, as they are or encoded. Bytes are searched as bytes. */
export function findCanaries(haystack: string | Uint8Array, canaries: string[]): CanarySighting[] {
  const bytes = Buffer.from(haystack);
  const sightings: CanarySighting[] = [];
  for (const canary of canaries) {
    for (const { form, needle } of formsOf(canary)) {
      const offset = bytes.indexOf(needle);
      if (offset >= 0) sightings.push({ canary, form, offset });
    }
  }
  return sightings;
}

/** The same for each file below `folder`. Files that vanish meanwhile are skipped. */
export async function findCanariesInFolder(folder: string, canaries: string[]): Promise<CanarySighting[]> {
  const sightings: CanarySighting[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const content = await readFile(file).catch(() => Buffer.alloc(0));
    sightings.push(...findCanaries(content, canaries).map((sighting) => ({ ...sighting, file })));
  }
  return sightings;
}

interface Form {
  form: string;
  needle: Buffer;
}

function formsOf(canary: string): Form[] {
  const hex = Buffer.from(canary).toString('hex');
  const percent = (digits: string): string => digits.replaceAll(/../g, '%$&');
  const texts = [
    ['plain', canary],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ['percent', canary.replaceAll('-', '%2D')],
    ['percent', canary.replaceAll('-', '%2d')],
    ['percent', percent(hex)],
    ['percent', percent(hex.toUpperCase())],
    ...[0, 1, 2].flatMap((shift) => [
      ['base64', base64Inside(canary, shift, 'base64')],
      ['base64url', base64Inside(canary, shift, 'base64url')],
    ]),
  ] as [string, string][];
  return texts.map(([form, text]) => ({ form, needle: Buffer.from(text) }));
}

/** The characters that only depend on the canary when `shift` bytes (modulo 3) stand before it in what was encoded. */
function base64Inside(canary: string, shift: number, encoding: 'base64' | 'base64url'): string {
  const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(canary)]).toString(encoding);
  const bits = (shift + canary.length) * 8;
  return encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(bits / 6));
}
