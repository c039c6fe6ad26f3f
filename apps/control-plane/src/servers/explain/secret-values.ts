import { canonicalName } from '@gatehouse/header-policy';

const hidden = '[secret]';
/** Of what is shorter, four characters would be too much of it. */
const minShownLength = 20;
const shownLength = 4;
/** What is shorter may stand in other values by chance. */
const minRecognisedLength = 8;

const secretWords = ['token', 'secret', 'key', 'password', 'auth', 'session', 'signature', 'credential', 'jwt', 'cookie'];

/** Whether a header or parameter of this name is likely to hold a secret. */
export function isSecretName(name: string): boolean {
  const canonical = canonicalName(name);
  return secretWords.some((word) => canonical.includes(word));
}

/** A credential of HTTP, a JSON Web Token, a service account's key: secret under any name. */
const secretShape = /^(bearer|basic) +\S|eyJ[\w-]{5,}\.eyJ[\w-]*\.|gatehouse_[0-9a-f]{16}_/i;

/** Tells which of a caller's values are secret: by name, by shape, and what else has one of these in it. */
export class CallerSecrets {
  readonly #known: readonly string[];

  /** @param rows the caller's headers, flat */
  constructor(rows: readonly string[]) {
    const values = rows.filter((value, index) => index % 2 === 1 && (isSecretName(rows[index - 1] ?? '') || secretShape.test(value)));
    this.#known = values.map((value) => value.replace(/^(bearer|basic) +/i, '')).filter((value) => value.length >= minRecognisedLength);
  }

  has(names: readonly string[], value: string): boolean {
    return names.some(isSecretName) || secretShape.test(value) || this.#known.some((secret) => value.includes(secret));
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
