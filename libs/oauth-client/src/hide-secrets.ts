import type { Secret } from '@gatehouse/sealing';

/** Text without these secrets, in any form that they went out in or that an answer may repeat them in. */
export function hideSecrets(text: string, secrets: readonly Secret[]): string {
  const forms = [...new Set(secrets.flatMap((secret) => formsOf(secret.reveal())))].filter((form) => form !== '');
  // The longest first: of one that holds another nothing is left over. Escapes are written in either case.
  return forms.toSorted((a, b) => b.length - a.length).reduce((rest, form) => rest.replace(new RegExp(form.replace(/[^\w\s]/g, '\\$&'), 'gi'), '[…]'), text);
}

const formsOf = (value: string): string[] => [
  value,
  encodeURIComponent(value),
  new URLSearchParams({ '': value }).toString().slice(1),
  JSON.stringify(value).slice(1, -1),
  // With and without padding.
  Buffer.from(value).toString('base64').replace(/=+$/, ''),
  Buffer.from(value).toString('base64url'),
];
