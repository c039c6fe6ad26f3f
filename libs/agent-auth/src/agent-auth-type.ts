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

/** What a caller presented, as taken out of its headers. */
export interface PresentedCredentials {
  readonly authorization: string | undefined;
  /** `X-Gatehouse-Key` */
  readonly gatehouseKey: string | undefined;
}

/** What an authentication may look up. */
export interface AgentAuthContext {
  readonly workspace: string;
  /** By key id. */
  readonly serviceAccounts: { get(keyId: string): ServiceAccountRecord | undefined };
}

/** A caller, or why there is none (for the challenge, RFC 6750 section 3.1). */
export type Authentication =
  | { readonly caller: Caller }
  | { readonly denied: 'missing_credential' | 'invalid_credential' };

/** An agent authentication compiled from its configuration, once per revision. */
export interface PreparedAgentAuth {
  readonly type: string;
  /** Whether anyone who reaches the gateway is let in (D11, docs/rules.md). */
  readonly open: boolean;
  authenticate(presented: PresentedCredentials, context: AgentAuthContext): Authentication | Promise<Authentication>;
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
