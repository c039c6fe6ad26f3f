import { GatewayError } from '@gatehouse/errors';
import type { Fetch } from '@gatehouse/oauth-client';

export interface UpstreamFetches {
  /** Reaches public addresses only. */
  readonly anywhere: Fetch;
  /** Reaches only what nothing but the deployment's own setting allows. */
  readonly near: Fetch;
}

/** An upstream, and where it was reached. */
export interface ReachedUpstream {
  readonly fetch: Fetch;
  /** Known by the connections themselves: a name that is looked up once more may say something else. */
  isNear(): boolean;
}

/** Goes wherever administrators may have their upstreams, and notes which it was. */
export function reachUpstream({ anywhere, near }: UpstreamFetches): ReachedUpstream {
  let isNear = false;
  return {
    fetch: async (url, init) => {
      try {
        return await anywhere(url, init);
      } catch (error) {
        if (!(error instanceof GatewayError) || error.code !== 'upstream_address_refused') throw error;
        const response = await near(url, init);
        isNear = true;
        return response;
      }
    },
    isNear: () => isNear,
  };
}
