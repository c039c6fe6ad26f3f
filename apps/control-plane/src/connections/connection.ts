import type { OAuthClient } from '@gatehouse/oauth-client';
import type { Secret } from '@gatehouse/sealing';

/** What tokens are of: an app, a server that was discovered, or the identity provider of a login session. */
export type OwnerKind = 'app' | 'server' | 'identity-provider';

export interface ConnectionOwner {
  readonly kind: OwnerKind;
  readonly id: string;
  /** Of an identity provider, the one that stands for none (`gatewayItself`). */
  readonly workspaceId: string;
}

/** The sealed part of a connection. */
export interface ConnectionTokens {
  readonly accessToken: Secret;
  readonly refreshToken: Secret | undefined;
  readonly idToken: Secret | undefined;
}

export type ConnectionState = 'active' | 'reconnect_required';

/** A row without its tokens. */
export interface Connection {
  readonly id: string;
  readonly workspaceId: string;
  readonly ownerKind: OwnerKind;
  readonly ownerId: string;
  /** Null: shared by the organisation. */
  readonly personId: string | null;
  /** Of a login session. */
  readonly sessionId: string | null;
  /** Of a server that was discovered: the client that the tokens were given to; null where that is the one there is. */
  readonly clientId: string | null;
  /** Counts every change of the tokens. */
  readonly tokenVersion: number;
  readonly refreshable: boolean;
  readonly scopes: readonly string[];
  /** Null: the provider does not say. */
  readonly expiresAt: Date | null;
  readonly state: ConnectionState;
  /** What the person is called at the provider. */
  readonly account: string | null;
  /** Why the last refresh failed: a code and never a provider's own words. */
  readonly failure: string | null;
  readonly refreshedAt: Date;
  readonly lastUsedAt: Date | null;
  readonly createdAt: Date;
}

/** Us as the client at an owner's provider, and what the provider does with refresh tokens. */
export interface OwnerClient {
  /** What people call it. */
  readonly title: string;
  readonly client: OAuthClient;
  readonly refresh: {
    /** Whether a refresh token is good for one use. Where it is not known, assume so. */
    readonly rotates: boolean;
    /** After how many days without use the provider drops a refresh token. */
    readonly idleDays?: number | undefined;
    /** For how long the provider takes a refresh token again that was used already; none when absent. */
    readonly reuseSeconds?: number | undefined;
  };
}

/** Finds the client of an owner by its id; of several that we were there, the one of this client id. @throws GatewayError connection_misconfigured, provider_unavailable */
export type ClientSource = (ownerId: string, clientId: string | null) => Promise<OwnerClient>;
