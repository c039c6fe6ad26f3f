import { GatewayError } from '@gatehouse/errors';
import { type KeyRing, keyRingOf, seal, unseal, UnsealError } from '@gatehouse/sealing';
import { Inject, Injectable } from '@nestjs/common';
import { Database } from '../database/database.ts';
import type { Sql } from '../database/sql.ts';
import { uuidV7 } from '../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../environment.ts';
import { sharedSecret } from '../vault/shared-secret.ts';
import { Vault } from '../vault/vault.ts';
import { scopesWithin } from './scopes-within.ts';

/** An account is connected at the first two, at a provider; a credential is entered here. */
export type ConnectKind = 'app' | 'server' | 'credential';

/** What a link is for. */
export interface ConnectOrder {
  readonly workspaceId: string;
  readonly ownerKind: ConnectKind;
  readonly ownerId: string;
  /** The server that asked for it; none where the link was made for a connection. */
  readonly serverId?: string | undefined;
  /** Only this person may use it; undefined: the connection is the organisation's, and an administrator makes it. */
  readonly personId?: string | undefined;
  /** To ask for besides what the app, the server's document and the connection have: those are read when the link is used. */
  readonly scopes: readonly string[];
}

interface LinkOf<Kind extends ConnectKind> extends ConnectOrder {
  readonly ownerKind: Kind;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** To connect an account at a provider. */
export type AccountLink = LinkOf<'app' | 'server'>;
/** To enter a credential. */
export type CredentialLink = LinkOf<'credential'>;
export type ConnectLink = AccountLink | CredentialLink;

export interface IssuedConnectLink {
  readonly connectUrl: string;
  readonly linkId: string;
  readonly expiresAt: number;
}

const lifeMs = 10 * 60_000;
/** So that a link stays short enough to be returned to after a login. What has no room is asked for once the rest is there. */
const maxScopesLength = 2_000;
const context = ['', 'connect_links', 'link'] as const;

/** Links that let one person connect one app, or enter one credential, for ten minutes, once (D10). Nothing is stored until one is used: any replica reads what another has made. */
@Injectable()
export class ConnectLinks {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #controlPlaneUrl: string;
  #ring: Promise<KeyRing> | undefined;

  constructor(database: Database, vault: Vault, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#vault = vault;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  async connectLinkFor(order: ConnectOrder, now = Date.now()): Promise<IssuedConnectLink> {
    const link: LinkOf<ConnectKind> = { ...order, scopes: scopesWithin(order.scopes, maxScopesLength), id: uuidV7(now), expiresAt: now + lifeMs };
    const sealed = seal(await this.#keys(), context, JSON.stringify(link));
    return { connectUrl: `${this.#controlPlaneUrl}/connect?link=${sealed.toString('base64url')}`, linkId: link.id, expiresAt: link.expiresAt };
  }

  /** What a link says, whether or not it was used. @throws GatewayError connect_link_invalid */
  async read(text: string, now = Date.now()): Promise<ConnectLink> {
    const link = await this.#open(text);
    if (link.expiresAt <= now) throw new GatewayError('connect_link_invalid', { detail: 'expired' });
    return link;
  }

  /** In the transaction of what it is used for. @throws GatewayError connect_link_invalid where it was used before */
  async use(sql: Sql, { id, expiresAt }: ConnectLink): Promise<void> {
    await sql('delete from used_connect_links where expires_at < now()');
    const rows = await sql('insert into used_connect_links (id, expires_at) values ($1, to_timestamp($2 / 1000.0) + interval \'1 hour\') on conflict do nothing returning id', [id, expiresAt]);
    if (rows.length === 0) throw new GatewayError('connect_link_invalid', { detail: 'used' });
  }

  async #open(text: string): Promise<ConnectLink> {
    if (!/^[\w-]{40,8000}$/.test(text)) throw new GatewayError('connect_link_invalid', { detail: 'malformed' });
    try {
      return JSON.parse(unseal(await this.#keys(), context, Buffer.from(text, 'base64url')).toString('utf8')) as ConnectLink;
    } catch (cause) {
      if (cause instanceof UnsealError) throw new GatewayError('connect_link_invalid', { detail: cause.reason });
      throw cause;
    }
  }

  /** One secret that all replicas share, for as long as the database lives. */
  #keys(): Promise<KeyRing> {
    const ring = (this.#ring ??= sharedSecret(this.#database.sql, this.#vault).then((secret) => keyRingOf([secret], 'connect-links')));
    ring.catch(() => (this.#ring = undefined));
    return ring;
  }
}
