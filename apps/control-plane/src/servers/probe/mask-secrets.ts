import { Secret } from '@gatehouse/sealing';
import { TextFinder } from './text-finder.ts';

/** Every secret anywhere in a document. */
export function secretsOf(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsOf);
}

/** Replaces what a probe must not echo. Given a length, of so much of the text and no more; a secret that goes on beyond it is replaced whole. */
export type Mask = (text: string, maxLength?: number) => string;

const replacement = '[secret]';
// What is shorter cannot be told from ordinary text, and masking it would show where it stands.
const minLength = 4;

/**
 * A mask for secrets as they are, URL-encoded, and in base64 or base64url, there also inside of a longer text (`user:secret`).
 * Upstreams choose what is masked, and know what they were sent: it takes time in proportion to the text, whatever is in it.
 */
export function secretMask(secrets: readonly string[]): Mask {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form.length >= minLength));
  const finder = new TextFinder([...forms]);
  return (text, maxLength = text.length) => {
    let shown = '';
    let at = 0;
    for (const { start, end } of finder.find(text.slice(0, maxLength + finder.maxLength))) {
      if (start >= maxLength) break;
      shown += text.slice(at, start) + replacement;
      at = end;
    }
    return at < maxLength ? shown + text.slice(at, maxLength) : shown;
  };
}

/** Far deeper than any schema of a tool. */
const maxDepth = 100;

/** Masks every text in a JSON value, names of fields too. What is nested deeper than anyone means it is left out: it would exhaust the stack. */
export function maskDeep(value: unknown, mask: Mask, depth = 0): unknown {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maxDepth) return null;
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask, depth + 1)]));
}

function formsOf(secret: string): string[] {
  // `Bearer x` and `Basic x` may come back without their scheme.
  const spellings = [secret, secret.replace(/^(?:bearer|basic) +/i, '')].filter(({ length }) => length >= minLength);
  return spellings.flatMap((spelling) => {
    const encoded = ['utf8', 'latin1'].flatMap((encoding) => base64Forms(Buffer.from(spelling, encoding as BufferEncoding)));
    return [spelling, JSON.stringify(spelling).slice(1, -1), encodeURIComponent(spelling), ...encoded];
  });
}

/** The characters of the base64 text that depend on these bytes alone, for each of the three ways they may be aligned in it. */
function base64Forms(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    const form = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').slice(first, last);
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
