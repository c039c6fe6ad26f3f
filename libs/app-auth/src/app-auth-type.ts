import type { AccessToken } from '@gatehouse/access-tokens';
import type { Secret } from '@gatehouse/sealing';
import type { z } from 'zod';
import type { CredentialContext } from './credential-context.ts';

/** What an authentication type gives. One function puts it into a request; types never touch headers. */
export type Credential = InsertedCredential | SigningCredential;

/** A value and where it belongs. */
export interface InsertedCredential {
  readonly in: 'header' | 'query';
  readonly name: string;
  /** For a header: already in the bytes it is sent as (see `toHeaderBytes`). */
  readonly value: Secret;
  /** What it was made of, where that was obtained and another one may be. */
  readonly token?: AccessToken;
}

/** What can only be made of the request that leaves: made anew each time that it does, after every other credential. */
export interface SigningCredential {
  readonly in: 'signature';
  /** The headers that it writes. */
  readonly headerNames: readonly string[];
  /** What it proves the possession of, where that was obtained and another one may be. */
  readonly token?: AccessToken;
  readonly sign: (request: SignableRequest) => readonly SignedHeader[];
  /**
   * Takes from an answer what the next signature for its origin has to have.
   * @param headers names in lower case
   */
  readonly learn?: (url: string, headers: Readonly<Record<string, string | readonly string[] | undefined>>) => void;
}

/** Values are in the bytes that they are sent as (see `toHeaderBytes`). */
export type SignedHeader = readonly [name: string, value: Secret];

/** A request as it leaves, but for what the connection adds (Host, Connection, Content-Length). */
export interface SignableRequest {
  readonly method: string;
  /** Absolute, and character by character what is sent; credentials in the query included. */
  readonly url: string;
  /** Flat: name, value, … */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string | undefined;
}

/**
 * How a credential is come by: the gateway keeps it, has a key that signs each request, a person has connected an account or entered
 * it, a client of the gateway's own was given it, it was exchanged for the caller's; it is the caller's own, or says who that is.
 */
export const credentialKinds = ['none', 'stored', 'signed', 'connection', 'entered', 'client', 'exchanged', 'caller', 'identity'] as const;

export type CredentialKind = (typeof credentialKinds)[number];

/** An app authentication compiled from its configuration, once per revision. */
export interface PreparedAppAuth {
  readonly type: string;
  readonly credentialKind: CredentialKind;
  /** The headers that its credentials go into: nothing of the caller's leaves under these names. */
  readonly headerNames: readonly string[];
  /** Whether the gateway holds a credential for this upstream. */
  readonly storesCredential: boolean;
  /** Whether what it signs is the whole body, which therefore has to be at hand. */
  readonly signsBody?: boolean;
  /** Whether callers connect accounts of their own for it, and may have none yet. */
  readonly connects?: boolean;
  /** For people: what is asked for a credential that is not at hand. */
  readonly wouldCall?: string;
  /**
   * At once where nothing has to be fetched for it.
   * @throws ConnectError, GatewayError
   */
  obtain(context: CredentialContext): readonly Credential[] | Promise<readonly Credential[]>;
}

type ObjectSchema = z.ZodType<{ type: string }>;

/** One way of authenticating at an upstream: its configuration in three views of the secrets, and its behaviour. */
export interface AppAuthType<Type extends string, Writable extends ObjectSchema, Complete extends ObjectSchema, Readable extends ObjectSchema> {
  readonly type: Type;
  readonly title: string;
  readonly description: string;
  readonly writable: Writable;
  readonly complete: Complete;
  readonly readable: Readable;
  prepare(config: z.output<Complete>): PreparedAppAuth;
}

/** Checks a literal against `AppAuthType` while it keeps its own type. */
export const appAuthType = <const Type extends string, W extends ObjectSchema, C extends ObjectSchema, R extends ObjectSchema>(
  type: AppAuthType<Type, W, C, R>,
): AppAuthType<Type, W, C, R> => type;

/** The common case: the same credentials on every call. */
export function fixedCredentials(type: string, credentials: readonly InsertedCredential[]): PreparedAppAuth {
  const headerNames = credentials.filter((credential) => credential.in === 'header').map(({ name }) => name);
  const storesCredential = credentials.length > 0;
  return { type, credentialKind: storesCredential ? 'stored' : 'none', headerNames, storesCredential, obtain: () => credentials };
}
