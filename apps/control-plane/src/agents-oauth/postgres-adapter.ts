import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { AgentGrants } from './agent-grants.service.ts';
import { lifetimes } from './lifetimes.ts';
import type { OAuthState, Payload } from './oauth-state.service.ts';

export interface AdapterParts {
  readonly state: OAuthState;
  readonly grants: Pick<AgentGrants, 'end'>;
  /** A client has been used, and a grant of its where there is one. */
  readonly noteUse: (clientId: string, grantId: string) => Promise<void>;
}

/**
 * What oidc-provider stores, in Postgres. Its own sessions are not: who a browser belongs to is looked up at each request, so that
 * nobody stays logged in here who is logged out there.
 */
export function postgresAdapter(model: string, parts: AdapterParts): Adapter {
  if (model === 'Session') return nothingStored;
  const { state, grants } = parts;
  return {
    upsert: (id, payload, lifeSeconds) => store(model, parts, id, payload, lifeSeconds),
    find: async (id) => {
      const kept = await state.find(model, id);
      return kept && payloadOf(kept.payload, kept.consumedAt);
    },
    consume: async (id) => {
      if (await state.consume(model, id)) return;
      // Someone else was faster by less than the time between look and use, which is as good as an hour.
      if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
      const kept = await state.find(model, id);
      if (typeof kept?.payload['grantId'] === 'string') await grants.end(kept.payload['grantId'], 'used-twice');
      throw new errors.InvalidGrant('already used');
    },
    destroy: async (id) => {
      await state.delete(model, id);
    },
    revokeByGrantId: async (grantId) => {
      await grants.end(grantId, Provider.ctx?.oidc.route === 'revocation' ? 'given-back' : 'used-twice');
    },
    findByUid: notUsed,
    findByUserCode: notUsed,
  };
}

async function store(model: string, { state, noteUse }: AdapterParts, id: string, payload: AdapterPayload, lifeSeconds: number | undefined): Promise<void> {
  const { clientId } = payload;
  const grantId = model === 'Grant' ? id : payload.grantId;
  const written = { model, id, payload: payload as Payload, grantId, clientId, lifeSeconds: model === 'Client' ? lifetimes.client : lifeSeconds };
  if (model === 'ReplayDetection') {
    // Of two requests with one assertion the library may let both look before either of them leaves its mark.
    if (!(await state.insert(written))) throw new errors.InvalidClient('client assertion was already used');
    return;
  }
  await state.put(written);
  if (model === 'RefreshToken' && clientId !== undefined && grantId !== undefined) await noteUse(clientId, grantId);
}

const payloadOf = (payload: Payload, consumedAt: Date | null): AdapterPayload => ({
  ...(payload as AdapterPayload),
  ...(consumedAt && { consumed: Math.floor(consumedAt.getTime() / 1_000) }),
});

const notUsed = (): Promise<undefined> => Promise.resolve(undefined);
const nothing = (): Promise<void> => Promise.resolve();
const nothingStored: Adapter = { upsert: nothing, find: notUsed, findByUid: notUsed, findByUserCode: notUsed, consume: nothing, destroy: nothing, revokeByGrantId: nothing };
