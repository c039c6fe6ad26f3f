import { z } from 'zod';
import { agentAuthType, type AgentAuthContext, type Authentication, type PresentedCredentials, type ServiceAccountRecord } from './agent-auth-type.ts';
import { bearerToken } from './bearer-token.ts';
import type { Caller } from './caller.ts';
import { keyIdOf, matchesKeyHash } from './service-account-key.ts';

const maxVerified = 1_000;

/** A key that was verified, and the very record it was verified against: another record means another revision. */
interface Verified {
  readonly account: ServiceAccountRecord;
  readonly authentication: { readonly caller: Caller };
}

export const apiKey = agentAuthType({
  type: 'api-key',
  title: 'API key',
  description: 'A service account of the workspace, by Authorization: Bearer or X-Gatehouse-Key.',
  schema: z.strictObject({ type: z.literal('api-key') }).meta({ title: 'API key' }),
  prepare: () => {
    // Hashing a key costs more than the rest of this stage; a server remembers those it has verified, oldest out first.
    const verified = new Map<string, Verified>();
    return {
      type: 'api-key',
      open: false,
      forwardsAuthorization: false,
      restrictedHeaders: [],
      authenticate: (presented, context) => authenticate(verified, presented, context),
      stillAdmits: ({ credential = '', groups }, { serviceAccounts, workspace }) => {
        const account = serviceAccounts.get(credential);
        // In other groups it may do other things.
        return account?.workspace === workspace && account.groups.join('\n') === groups.join('\n');
      },
    };
  },
});

function authenticate(verified: Map<string, Verified>, presented: PresentedCredentials, context: AgentAuthContext): Authentication {
  const key = presented.gatehouseKey ?? (presented.authorization === undefined ? undefined : bearerToken(presented.authorization));
  if (key === undefined) return { denied: 'missing_credential' };
  const known = verified.get(key);
  const keyId = known ? known.account.keyId : keyIdOf(key);
  const account = keyId === undefined ? undefined : context.serviceAccounts.get(keyId);
  // The account must still be there, in this workspace, in every request: a cached key never outlives it.
  if (account?.workspace !== context.workspace) return { denied: 'invalid_credential' };
  if (known?.account === account) return known.authentication;
  if (!matchesKeyHash(key, account.keyHash)) return { denied: 'invalid_credential' };
  return remember(verified, key, account);
}

function remember(verified: Map<string, Verified>, key: string, account: ServiceAccountRecord): Authentication {
  if (verified.size >= maxVerified) {
    const oldest = verified.keys().next();
    if (!oldest.done) verified.delete(oldest.value);
  }
  const caller: Caller = { id: `service-account:${account.id}`, kind: 'service-account', name: account.name, groups: account.groups, credential: account.keyId };
  const authentication = { caller };
  verified.set(key, { account, authentication });
  return authentication;
}
