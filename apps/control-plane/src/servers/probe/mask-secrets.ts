import { Secret } from '@gatehouse/sealing';

/** Every secret anywhere in a document. */
export function secretsOf(value: unknown): string[] {
  if (value instanceof Secret) return [value.reveal()];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(secretsOf);
}

/** Replaces what a probe must not echo. */
export type Mask = (text: string) => string;

// What is shorter cannot be told from ordinary text, and masking it would show where it stands.
const minLength = 4;

/** A mask for secrets as they are, URL-encoded, and in base64 or base64url, there also inside of a longer text (`user:secret`). */
export function secretMask(secrets: readonly string[]): Mask {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form.length >= minLength));
  if (forms.size === 0) return (text) => text;
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map((form) => escapePattern(form)).join('|'), 'gi');
  return (text) => text.replace(pattern, '[secret]');
}

const escapePattern = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** Masks every text in a JSON value, names of fields too. */
export function maskDeep(value: unknown, mask: Mask): unknown {
  if (typeof value === 'string') return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskDeep(item, mask));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskDeep(item, mask)]));
}

function formsOf(secret: string): string[] {
  if (secret.length < minLength) return [];
  const escaped = JSON.stringify(secret).slice(1, -1);
  const encoded = ['utf8', 'latin1'].flatMap((encoding) => base64Forms(Buffer.from(secret, encoding as BufferEncoding)));
  // `Bearer x` and `Basic x` may come back without their scheme.
  const [, withoutScheme] = /^(?:bearer|basic) +(.+)$/i.exec(secret) ?? [];
  return [secret, escaped, encodeURIComponent(secret), ...encoded, ...(withoutScheme ? formsOf(withoutScheme) : [])];
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
