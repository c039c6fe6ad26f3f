import type { AuthorizationServerRecord, Caller, Denial, ServiceAccountRecord } from '@gatehouse/agent-auth';
import { type AddressGuard, guardedFetch, OriginPools } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import { KeySets, keySetLimits } from '@gatehouse/token-verification';
import type { CallerHeaders, PreparedServer } from '@gatehouse/upstream-request';
import type { Explanation } from './explanation.ts';

export interface AuthenticationParts {
  /** Service accounts by key id. */
  readonly findAccount: (keyId: string) => Promise<ServiceAccountRecord | undefined>;
  /** Whose access tokens interactive servers take. */
  readonly readAuthorizationServer: () => Promise<AuthorizationServerRecord>;
  /** Of the data planes. */
  readonly publicUrl: string;
  readonly guard: AddressGuard;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Warning = Explanation['warnings'][number];

/** Who calls, as a data plane would find it. */
export interface RecognisedCaller {
  readonly caller: Caller;
  /** What a data plane would answer where it would not let the caller in. */
  readonly warning?: Warning;
}

/** Whether a data plane would let the caller in. Only key sets are fetched. */
export async function recogniseCaller(server: PreparedServer, headers: CallerHeaders, parts: AuthenticationParts): Promise<RecognisedCaller> {
  const { findAccount, readAuthorizationServer, publicUrl, guard, now } = parts;
  const pools = new OriginPools({ guard });
  const keySets = new KeySets({ fetch: guardedFetch(pools, keySetLimits), now });
  const accounts = new AskedAccounts();
  const isInteractive = server.agentAuth.protectedResource !== undefined;
  const authorizationServer = isInteractive ? await readAuthorizationServer() : undefined;
  const context = { workspace: server.workspace, server: server.name, publicUrl, serviceAccounts: accounts, keySets, authorizationServer, now };
  const authenticate = () => server.agentAuth.authenticate(headers, context);
  try {
    let authentication = await authenticate();
    if (accounts.askedFor !== undefined) {
      accounts.found = await findAccount(accounts.askedFor);
      authentication = await authenticate();
    }
    return 'denied' in authentication ? { caller: someone, warning: deniedWarning(authentication) } : authentication;
  } catch (error) {
    if (!(error instanceof GatewayError) || error.code !== 'caller_keys_unavailable') throw error;
    return { caller: someone, warning: { code: error.code, detail: `The caller's token could not be verified from here. ${error.publicMessage} ${whatIsShown}` } };
  } finally {
    keySets.close();
    await pools.destroy();
  }
}

/** Whoever would be let in: what is sent of them is set, and nobody knows to what. */
export const someone: Caller = { id: 'someone', kind: 'person', name: 'someone', groups: [], subject: 'someone', email: 'someone' };

/** Data planes have all accounts at hand; here the one that is looked up is read from the database. */
class AskedAccounts {
  askedFor: string | undefined;
  found: ServiceAccountRecord | undefined;

  get(keyId: string): ServiceAccountRecord | undefined {
    this.askedFor = keyId;
    return this.found;
  }
}

const whatIsShown = 'Shown is what would leave if the caller were let in.';
const descriptions: Readonly<Record<string, string>> = {
  missing_credential: 'The request has no credential that this server takes.',
  invalid_credential: 'The credential is not one of this workspace.',
};

const deniedWarning = ({ denied, description = descriptions[denied] ?? 'The credential is not valid.' }: Denial): Warning => ({
  code: 'unauthenticated',
  detail: `A data plane answers ${denied === 'insufficient_scope' ? 403 : 401} (${denied}): ${description} ${whatIsShown}`,
});
