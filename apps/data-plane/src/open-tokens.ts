import { AccessTokens, brokerPatienceMs, type PostToBroker, tokensPath } from '@gatehouse/access-tokens';
import { type AddressGuard, createAddressGuard, guardedFetch, OriginPools, sendRequest } from '@gatehouse/egress';
import { toGatewayError } from '@gatehouse/errors';
import type { DataPlaneSettings } from './data-plane.ts';
import type { ObserveDependency } from './metrics/observe-dependencies.ts';

export interface OpenTokens {
  readonly tokens: AccessTokens;
  readonly pools: Readonly<Record<'broker' | 'providers', OriginPools>>;
  close(): Promise<void>;
}

/** What a provider's answer may take, and how large it may be. */
const providerLimits = { timeouts: { headersMs: 10_000, totalMs: 15_000 }, maxResponseBytes: 262_144 };
/** The broker may wait for a provider; then it still has to answer. */
const brokerTimeouts = { headersMs: brokerPatienceMs + 5_000, totalMs: brokerPatienceMs + 10_000 };

/** The tokens of connections and clients, over connections of their own: to the broker kept open, to providers guarded. */
export function openTokens(settings: Pick<DataPlaneSettings, 'INTERNAL_URL' | 'DATA_PLANE_TOKEN'>, guard: AddressGuard, observe: ObserveDependency): OpenTokens {
  const providers = new OriginPools({ guard, connectionsPerOrigin: 8 });
  // Our own control plane: its address is not a public one.
  const broker = new OriginPools({ guard: createAddressGuard({ allowedRanges: ['all'] }), connectionsPerOrigin: 64, keepAliveTimeoutMs: 60_000, connectTimeoutMs: 2_000 });
  const [post, fetch] = [postTo(broker, settings), guardedFetch(providers, providerLimits)];
  const tokens = new AccessTokens({
    post: post && ((body, trace) => observe('broker', () => post(body, trace))),
    fetch: (url, init) => observe('provider', () => fetch(url, init)),
    now: Date.now,
  });
  return {
    tokens,
    pools: { broker, providers },
    close: async () => {
      await Promise.all([providers.destroy(), broker.destroy()]);
    },
  };
}

function postTo(pools: OriginPools, { INTERNAL_URL: internalUrl, DATA_PLANE_TOKEN: token }: Pick<DataPlaneSettings, 'INTERNAL_URL' | 'DATA_PLANE_TOKEN'>): PostToBroker | undefined {
  if (internalUrl === undefined || token === undefined) return undefined;
  const url = new URL(internalUrl.replace(/\/$/, '') + tokensPath);
  return async (body, trace) => {
    const headers = [['authorization', `Bearer ${token.reveal()}`], ['content-type', 'application/json']] as const;
    const send = (more: readonly (readonly [name: string, value: string])[] = []) => sendRequest(pools, { method: 'POST', url, headers: [...headers, ...more], body, timeouts: brokerTimeouts });
    const ask = () => (trace === undefined ? send() : trace(url, send));
    const answer = await ask().catch((error: unknown) => {
      // A control plane that dies takes the connections along that are kept to it. To ask again, another one, changes nothing.
      if (toGatewayError(error).code !== 'upstream_failed') throw error;
      return ask();
    });
    return { status: answer.status, body: answer.body.toString('utf8') };
  };
}
