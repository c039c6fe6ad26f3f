import type { ResolvedApp } from '@gatehouse/app-catalog';
import type { ConnectionOwner, OwnerClient } from '../connection.ts';

/** What is connected, before anybody is sent anywhere: what a person is told of it. */
export interface ConnectPreview {
  readonly owner: ConnectionOwner & { readonly kind: 'app' | 'server' };
  /** The name of its workspace. */
  readonly workspace: string;
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  /** Where the browser goes to authorize. */
  readonly authorizationUrl: string;
  /** Where its answer is redeemed, with the secret that we have there. */
  readonly tokenUrl: string;
  /** The provider's own name, where it is known. */
  readonly issuer?: string | undefined;
  /** What is asked for, whoever connects. */
  readonly scopes: readonly string[];
}

/** The same, with us as its client. */
export interface ConnectTarget extends ConnectPreview {
  readonly app: ResolvedApp;
  readonly client: OwnerClient;
  readonly redirectUri: string;
  /** The provider says that its answers always name it (RFC 9207 section 3). */
  readonly isIssRequired: boolean;
  /** Of a server that was discovered. */
  readonly registrationId?: string | undefined;
}

/** Of a server that was discovered: what an authorization was begun with. */
export interface BegunTarget {
  readonly registrationId?: string | undefined;
  /** Missing where an earlier release began it. */
  readonly clientId?: string | undefined;
  readonly resource?: string | undefined;
}

/** The ways to connect owners of one kind. */
export interface TargetSource {
  /** @throws ConnectRefusal */
  preview(ownerId: string): Promise<ConnectPreview>;
  /** For a new authorization. @throws ConnectRefusal */
  begin(ownerId: string): Promise<ConnectTarget>;
  /** For the answer to one that was begun so. @throws ConnectRefusal */
  resume(ownerId: string, begun: BegunTarget): Promise<ConnectTarget>;
}
