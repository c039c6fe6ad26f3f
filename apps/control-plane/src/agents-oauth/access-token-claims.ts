import type { Person } from '../identity/person.ts';

/** Groups in a token: more would not fit into the headers it travels in. */
const maxGroups = 100;
const maxGroupsLength = 4_096;

export interface AccessTokenClaims {
  readonly grant: string;
  readonly idp: string;
  readonly name: string;
  readonly email?: string;
  readonly groups: readonly string[];
}

/** What any of these tokens says as text or as a number: of RFC 9068 section 2.2, and of `AccessTokenClaims`. */
export const textClaims: ReadonlySet<string> = new Set(['sub', 'email', 'name', 'idp', 'grant', 'client_id', 'scope', 'iss', 'aud', 'jti', 'iat', 'exp']);

/** What an access token says of its person, besides what RFC 9068 has. Groups that the server's access rules name come first. */
export const accessTokenClaims = (grant: string, { provider, name, email, groups }: Person, named: ReadonlySet<string>): AccessTokenClaims => ({
  grant,
  idp: provider,
  name,
  ...(email !== undefined && { email }),
  groups: boundedGroups(groups, named),
});

function boundedGroups(groups: readonly string[], named: ReadonlySet<string>): string[] {
  const sorted = [...groups.filter((group) => named.has(group)), ...groups.filter((group) => !named.has(group))].slice(0, maxGroups);
  let length = 0;
  return sorted.filter((group) => (length += Buffer.byteLength(group)) <= maxGroupsLength);
}
