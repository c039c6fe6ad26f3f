import type { AccessToken } from '@gatehouse/access-tokens';
import type { CredentialContext, CredentialKind } from '@gatehouse/app-auth';
import type { ErrorCode } from '@gatehouse/errors';
import type { Secret } from '@gatehouse/sealing';
import type { z } from 'zod';

/** Where an outbound header has its value from, compiled once per revision. */
export interface PreparedSource {
  readonly type: string;
  readonly credentialKind: CredentialKind;
  /** For people: what is asked for a value that is not at hand. */
  readonly wouldCall?: string;
  /** Whether callers have values of their own, and may have none yet. */
  readonly connects?: boolean;
  /** What is said of a call that needs a value and has none; `credential_unavailable` when absent. */
  readonly missing?: ErrorCode;
  /**
   * The value, or nothing where there is none for this call; with the token it was made of, where that was obtained and another one
   * may be. At once where it is known, as it mostly is.
   */
  obtain(context: CredentialContext): SourceValue | undefined | Promise<SourceValue | undefined>;
}

export type SourceValue = Secret | AccessToken;

type ObjectSchema = z.ZodType<{ type: string }>;

/** One kind of source: its configuration in three views of the secrets, and its behaviour. */
export interface OutboundHeaderSource<Type extends string, Writable extends ObjectSchema, Complete extends ObjectSchema, Readable extends ObjectSchema> {
  readonly type: Type;
  readonly title: string;
  readonly description: string;
  readonly writable: Writable;
  readonly complete: Complete;
  readonly readable: Readable;
  /** @param isRequired without a value the call fails; otherwise the header is left out */
  prepare(config: z.output<Complete>, isRequired: boolean): PreparedSource;
}

/** Checks a literal against `OutboundHeaderSource` while it keeps its own type. */
export const outboundHeaderSource = <const Type extends string, W extends ObjectSchema, C extends ObjectSchema, R extends ObjectSchema>(
  source: OutboundHeaderSource<Type, W, C, R>,
): OutboundHeaderSource<Type, W, C, R> => source;
