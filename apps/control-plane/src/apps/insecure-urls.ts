import { lookup } from 'node:dns/promises';
import { type AddressGuard, createAddressGuard } from '@gatehouse/egress';
import { pointerOf, type Problem } from '@gatehouse/errors';
import type { ResolvedApp } from '@gatehouse/app-catalog';

const anyone = createAddressGuard({ allowedRanges: [] });
const names = ['issuer', 'authorizationUrl', 'tokenUrl', 'revocationUrl'] as const;

/** Schemes are written in any case (RFC 3986 section 3.1). */
export const isPlain = (url: string): boolean => URL.canParse(url) && new URL(url).protocol === 'http:';

export const httpsRequired = { detail: 'must begin with https://; plain http is for addresses that GATEHOUSE_EGRESS_ALLOWED_RANGES names', code: 'https_required' } as const;

/** The URLs of an app that are plain http, by field. */
export const plainUrls = (app: ResolvedApp): readonly (readonly [field: string, url: string])[] =>
  names.flatMap((name) => {
    const url = app[name];
    return url !== undefined && isPlain(url) ? [[name, url] as const] : [];
  });

/**
 * Secrets and codes travel over TLS (RFC 6749 section 3.2), except to addresses that the deployment expressly allows connections to
 * besides public ones: this machine, a private network. `document` tells a URL of its own from one that a variable has made.
 */
export async function insecureUrls(app: ResolvedApp, document: Readonly<Record<string, unknown>>, guard: AddressGuard): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const [field, url] of plainUrls(app)) {
    if (await mayBePlain(url, guard)) continue;
    const pointer = Object.hasOwn(document, field) ? pointerOf([field]) : '/variables';
    problems.push({ pointer, ...httpsRequired });
  }
  // One variable makes several URLs.
  return problems.filter(({ pointer }, index) => problems.findIndex((other) => other.pointer === pointer) === index);
}

/** Whether a URL is of this machine, or a private network that the deployment names. */
export async function mayBePlain(url: string, guard: AddressGuard): Promise<boolean> {
  const addresses = await lookup(new URL(url).hostname.replace(/^\[|\]$/g, ''), { all: true }).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => guard.allows(address) && !anyone.allows(address));
}
