import type { LoginTokenKind } from '@gatehouse/access-tokens';
import type { StoredDocument } from './servers.store.ts';

/** A part of a server's document that uses what people's identity provider gave when they logged in. */
export interface LoginUse {
  readonly pointer: string;
  readonly kind: LoginTokenKind;
  /** All of it: it says where the token goes. */
  readonly config: object;
}

interface Exchange {
  readonly type?: unknown;
  readonly grant?: unknown;
  readonly subject?: unknown;
  /** Of what is forwarded and not exchanged. */
  readonly from?: unknown;
}

/** What a stored server does with the tokens of logins. */
export function loginUses(document: StoredDocument | null | undefined): LoginUse[] {
  // Before a change it may have been anything.
  const { appAuth, outboundHeaders } = (document ?? {}) as { appAuth?: Exchange | null; outboundHeaders?: unknown };
  const headers = Array.isArray(outboundHeaders) ? (outboundHeaders as readonly ({ readonly source?: Exchange | null } | null)[]) : [];
  return [useOf('/appAuth', appAuth), ...headers.map((header, index) => useOf(`/outboundHeaders/${index}/source`, header?.source))].filter((use) => use !== undefined);
}

/** Of callers who are no people it is their own token. */
function useOf(pointer: string, config: Exchange | null | undefined): LoginUse | undefined {
  if (!config || (config.type !== 'on-behalf-of' && config.type !== 'caller-token') || config.subject === 'caller-token' || config.from === 'caller') return undefined;
  return { pointer, kind: config.grant === 'id-jag' ? 'id-token' : 'access-token', config };
}
