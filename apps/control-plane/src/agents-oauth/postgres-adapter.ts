import Provider, { type Adapter, type AdapterPayload, errors } from 'oidc-provider';
import type { AgentGrants } from './agent-grants.service.ts';
import { type ClientKeeping, keepNewClient } from './keep-client.ts';
import type { KeptState, OAuthState, Payload } from './oauth-state.service.ts';
import { unlessUnavailable } from './oauth-unavailable.ts';

export interface AdapterParts extends ClientKeeping {
  readonly state: OAuthState;
  readonly grants: Pick<AgentGrants, 'end'>;
  /** A client has been used, and a grant of its. */
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
    upsert: (id, payload, lifeSeconds) => unlessUnavailable(() => store(model, parts, id, payload, lifeSeconds)),
    find: (id) => unlessUnavailable(() => find(model, state, id)),
    consume: (id) => unlessUnavailable(() => consume(model, parts, id)),
    destroy: (id) => unlessUnavailable(() => state.delete(model, id)),
    revokeByGrantId: (grantId) =>
      unlessUnavailable(async () => {
        await grants.end(grantId, Provider.ctx?.oidc.route === 'revocation' ? 'given-back' : 'used-twice');
      }),
    findByUid: notUsed,
    findByUserCode: notUsed,
  };
}

/** What a request brings along, in characters: it is kept for whoever sends it. */
const maxRequestLength = 8_192;

function checkLength(request: unknown): void {
  if (JSON.stringify(request ?? '').length > maxRequestLength) throw new errors.InvalidRequest(`a request must have at most ${maxRequestLength} characters`);
}

async function store(model: string, parts: AdapterParts, id: string, payload: AdapterPayload, lifeSeconds: number | undefined): Promise<void> {
  const { state, noteUse } = parts;
  const { clientId } = payload;
  const grantId = model === 'Grant' ? id : payload.grantId;
  const written = { model, id, payload: payload as Payload, grantId, clientId, lifeSeconds };
  switch (model) {
    case 'Client':
      return keepNewClient(written, parts);
    case 'PushedAuthorizationRequest':
      checkLength(payload);
      return state.put(written);
    case 'Interaction':
      checkLength(payload['params']);
      return state.put(written);
    case 'RefreshToken':
      if (clientId === undefined || grantId === undefined) throw new TypeError('a refresh token of nobody');
      if (!(await state.putRefreshToken({ ...written, grantId }))) throw new errors.InvalidGrant('grant has ended');
      return noteUse(clientId, grantId);
    case 'ReplayDetection':
      // Of two requests with one assertion the library may let both look before either of them leaves its mark.
      if (!(await state.insert(written))) throw new errors.InvalidClientAuth('client assertion was already used');
      return undefined;
    default:
      return state.put(written);
  }
}

async function find(model: string, state: OAuthState, id: string): Promise<AdapterPayload | undefined> {
  const kept = await state.find(model, id);
  if (!kept?.consumedAt || model !== 'RefreshToken') return kept && payloadOf(kept);
  const clientId = refreshingClient();
  return clientId !== undefined && (await state.mayUseAgain(id, clientId)) ? payloadOf({ ...kept, consumedAt: null }) : payloadOf(kept);
}

/** A code or a refresh token that is used twice may be a stolen one: nothing of its grant is good any more (OAuth 2.1 sections 4.1.3 and 4.3.1). */
async function consume(model: string, { state, grants }: AdapterParts, id: string): Promise<void> {
  if (model === 'RefreshToken' ? await state.useRefreshToken(id, refreshingClient() ?? '') : await state.consume(model, id)) return;
  if (model === 'PushedAuthorizationRequest') throw new errors.InvalidRequestUri('request_uri was already used');
  const grantId = (await state.find(model, id))?.payload['grantId'];
  if (typeof grantId === 'string') await grants.end(grantId, 'used-twice');
  throw new errors.InvalidGrant('already used');
}

/** Whoever asks for tokens. Other requests look at a token, which changes nothing. */
function refreshingClient(): string | undefined {
  const { route, client } = Provider.ctx?.oidc ?? {};
  return route === 'token' ? client?.clientId : undefined;
}

const payloadOf = ({ payload, consumedAt }: KeptState): AdapterPayload => ({
  ...(payload as AdapterPayload),
  ...(consumedAt && { consumed: Math.max(1, Math.floor(consumedAt.getTime() / 1_000)) }),
});

const notUsed = (): Promise<undefined> => Promise.resolve(undefined);
const nothing = (): Promise<void> => Promise.resolve();
const nothingStored: Adapter = { upsert: nothing, find: notUsed, findByUid: notUsed, findByUserCode: notUsed, consume: nothing, destroy: nothing, revokeByGrantId: nothing };
