import type { GuardedFetch } from '@gatehouse/egress';
import type { KoaContextWithOIDC } from 'oidc-provider';
import { unlessUnavailable } from './oauth-unavailable.ts';
import type { OAuthState } from './oauth-state.service.ts';

const model = 'ClientDocument';

type ClientState = Pick<OAuthState, 'put' | 'find'>;

/** Keeps what a client published about itself when somebody agreed to it. */
export const keepClientDocument = (state: ClientState, clientId: string, metadata: object, lifeSeconds: number): Promise<void> =>
  state.put({ model, id: clientId, payload: { ...metadata }, lifeSeconds });

/** Where a login begins, in which a person is going to see who asks. */
const beginnings = new Set(['authorization', 'pushed_authorization_request']);

/**
 * Whether a client's document may be fetched for this request. Clients come here for the first time with a login; anywhere else only
 * of those that somebody has allowed something, or anyone could have us fetch anything, as often as they like. Without a request it
 * is for a page of a login that has begun.
 */
export async function mayFetchDocument(ctx: KoaContextWithOIDC | undefined, clientId: string, state: ClientState): Promise<boolean> {
  const route = ctx?.oidc?.route;
  return route === undefined || beginnings.has(route) || (await unlessUnavailable(() => state.find(model, clientId))) !== undefined;
}

/**
 * Fetches what clients publish. Where a client's site does not answer, the document that people agreed to stands in: nobody logs in
 * again because somebody else's server is down. What the site says counts whenever it says something, also that there is nothing.
 */
export function withKeptDocuments(fetch: GuardedFetch, state: ClientState): GuardedFetch {
  return async (input, init) => {
    const answer = await fetch(input, init).catch((error: unknown) => ({ error }));
    if (!('error' in answer) && answer.status < 500) return answer;
    const kept = await state.find(model, input instanceof Request ? input.url : String(input));
    if (kept) return Response.json(kept.payload);
    if ('error' in answer) throw answer.error;
    return answer;
  };
}
