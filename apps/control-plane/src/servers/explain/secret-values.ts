import { canonicalName } from '@gatehouse/header-policy';

const hidden = '[secret]';
/** Of what is shorter, four characters would be too much of it. */
const minShownLength = 20;
const shownLength = 4;
/** What is shorter may stand in other values by chance. */
const minRecognisedLength = 8;
/** Of a longer one its beginning gives it away: what is compared with many values stays short. */
const maxComparedLength = 64;

const secretWords = ['token', 'secret', 'key', 'password', 'auth', 'session', 'signature', 'credential', 'jwt', 'cookie'];

/** Whether a header or parameter of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  const canonical = canonicalName(name);
  return secretWords.some((word) => canonical.includes(word));
}

/** A credential of HTTP, a service account's key: secret under any name. Linear, wherever they begin. */
const secretShape = /^(bearer|basic) +\S|gatehouse_[0-9a-f]{16}_/i;

/** A JSON Web Token (RFC 7519), signed or encrypted: base64url of `{"…`, and two dots at least. */
const holdsToken = (value: string): boolean => value.split(/[^\w.-]+/).some(isToken);

/** By `split` and `indexOf`: as one pattern it would be tried anew from every `eyJ` to the end, and a caller writes many. */
function isToken(word: string): boolean {
  return word.split('.').slice(0, -2).some((segment) => {
    const start = segment.indexOf('eyJ');
    return start !== -1 && segment.length - start >= minRecognisedLength;
  });
}

const hasSecretShape = (value: string): boolean => secretShape.test(value) || holdsToken(value);

/** Tells which of a caller's values are secret: by name, by shape, and what else has one of these in it. */
export class CallerSecrets {
  readonly #known: readonly string[];
  /** One value may leave under many names. */
  readonly #seen = new Map<string, boolean>();

  /** @param rows the caller's headers, flat; no more of them than a data plane takes */
  constructor(rows: readonly string[]) {
    const values = rows.filter((value, index) => index % 2 === 1 && (isSecretName(rows[index - 1] ?? '') || hasSecretShape(value)));
    const credentials = values.map((value) => value.replace(/^(bearer|basic) +/i, '')).filter((value) => value.length >= minRecognisedLength);
    this.#known = [...new Set(credentials.map((value) => value.slice(0, maxComparedLength)))];
  }

  has(names: readonly string[], value: string): boolean {
    return names.some(isSecretName) || this.#isSecretValue(value);
  }

  #isSecretValue(value: string): boolean {
    const seen = this.#seen.get(value);
    if (seen !== undefined) return seen;
    const isSecret = hasSecretShape(value) || this.#known.some((secret) => value.includes(secret));
    this.#seen.set(value, isSecret);
    return isSecret;
  }
}

/** Of a secret what may be shown: its scheme, and where it is long its last four characters; of Basic nothing. */
export function maskSecret(value: string): string {
  const [, scheme, credential] = /^(bearer|basic) +(\S.*)$/is.exec(value) ?? [];
  if (scheme === undefined || credential === undefined) return masked(value);
  return `${scheme} ${scheme.toLowerCase() === 'basic' ? hidden : masked(credential)}`;
}

/** Measured without a prefix that may stand in front of it. */
function masked(secret: string): string {
  const characters = [...(secret.split(/[ \t]/).at(-1) ?? '')];
  return characters.length < minShownLength ? hidden : `…${characters.slice(-shownLength).join('')}`;
}

/** The text of a value in the bytes of the wire, one character each: UTF-8 where it is that, else Latin-1. */
export function textOf(bytes: string): string {
  const text = Buffer.from(bytes, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? bytes : text;
}
