import type { KeySets, PublicKeys, TokenDenial } from '@gatehouse/token-verification';
import type { z } from 'zod';
import type { Caller } from './caller.ts';

/** A service account as a data plane knows it. */
export interface ServiceAccountRecord {
  readonly id: string;
  readonly workspace: string;
  readonly name: string;
  readonly groups: readonly string[];
  readonly keyId: string;
  readonly keyHash: string;
}

/** The agents' authorization server as a data plane knows it. */
export interface AuthorizationServerRecord {
  readonly issuer: string;
  /** Another object as soon as issuer or keys are others: what was verified with them is verified again. */
  readonly keys: PublicKeys;
  /** Grants that are no longer good. */
  readonly revoked: ReadonlySet<string>;
  /** Identity providers whose people are not let in for now. */
  readonly suspendedProviders?: ReadonlySet<string>;
}

/** What a caller presented, as taken out of its headers. */
export interface PresentedCredentials {
  readonly authorization: string | undefined;
  /** `X-Gatehouse-Key` */
  readonly gatehouseKey: string | undefined;
}

/** What an authentication may look up. */
export interface AgentAuthContext {
  readonly workspace: string;
  /** Name of the server that is called. */
  readonly server: string;
  /** Of the data planes, without a slash at the end. */
  readonly publicUrl: string;
  /** By key id. */
  readonly serviceAccounts: { get(keyId: string): ServiceAccountRecord | undefined };
  /** By URL. */
  readonly keySets: Pick<KeySets, 'at'>;
  /** Absent where the control plane has not published one. */
  readonly authorizationServer: AuthorizationServerRecord | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Why there is no caller, and what the challenge may say of it (RFC 6750 section 3). */
export interface Denial {
  readonly denied: 'missing_credential' | 'invalid_credential' | 'revoked_grant' | 'suspended_identity_provider' | 'wrong_identity_provider' | 'insufficient_scope' | TokenDenial;
  /** Public, fit for `error_description`, nothing out of the credential. */
  readonly description?: string;
}

export type Authentication = { readonly caller: Caller } | Denial;

/** An agent authentication compiled from its configuration, once per revision. */
export interface PreparedAgentAuth {
  readonly type: string;
  /** Whether anyone who reaches the gateway is let in (D11, docs/rules.md). */
  readonly open: boolean;
  /** Patterns of caller's headers that never go on. */
  readonly restrictedHeaders: readonly string[];
  /** Whether the caller's own `Authorization` may go on, if app authentication wants it too (D2, docs/rules.md). */
  readonly forwardsAuthorization: boolean;
  /** Where tokens come from the gateway's own authorization server: what clients are told of it (RFC 9728). */
  readonly protectedResource?: ProtectedResource;
  /**
   * At once where nothing has to be fetched or computed for it.
   * @throws GatewayError caller_keys_unavailable
   */
  authenticate(presented: PresentedCredentials, context: AgentAuthContext): Authentication | Promise<Authentication>;
  /** Whether what let a caller in has not been withdrawn since. For streams that are open: a request is authenticated anew. */
  stillAdmits(caller: Caller, context: Pick<AgentAuthContext, 'workspace' | 'serviceAccounts' | 'authorizationServer'>): boolean;
}

export interface ProtectedResource {
  /** All of them are needed for any call. */
  readonly scopes: readonly string[];
}

type ObjectSchema = z.ZodType<{ type: string }>;

export interface AgentAuthType<Type extends string, Schema extends ObjectSchema> {
  readonly type: Type;
  readonly title: string;
  readonly description: string;
  readonly schema: Schema;
  prepare(config: z.output<Schema>): PreparedAgentAuth;
}

/** Checks a literal against `AgentAuthType` while it keeps its own type. */
export const agentAuthType = <const Type extends string, S extends ObjectSchema>(type: AgentAuthType<Type, S>): AgentAuthType<Type, S> => type;
