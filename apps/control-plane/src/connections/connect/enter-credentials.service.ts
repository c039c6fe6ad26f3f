import { GatewayError } from '@gatehouse/errors';
import type { Logger } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { credentialValue } from '@gatehouse/gateway-config';
import type { Secret } from '@gatehouse/sealing';
import { Inject, Injectable } from '@nestjs/common';
import { findUsable, UserCredentials } from '../../credentials/user-credentials.service.ts';
import { findHeldCredential, type HeldCredentialRow } from '../../credentials/user-credentials.store.ts';
import { channelToken, loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { isUuid } from '../../database/uuid-v7.ts';
import type { Person } from '../../identity/person.ts';
import { type CredentialLink, ConnectLinks } from '../connect-links.service.ts';
import { announceConnection } from './announce-connection.ts';
import { ConnectRefusal } from './connect-refusal.ts';
import { refusalOfLink, requireItsPerson } from './link-refusals.ts';

/** What a person is asked to enter. */
export interface CredentialQuestion {
  readonly credentialId: string;
  /** What people call it. */
  readonly title: string;
  readonly description: string | undefined;
  readonly workspace: string;
  /** They have entered one before. */
  readonly isHeld: boolean;
  /** The server that asked for it, and where that sends it. */
  readonly server: { readonly name: string; readonly title: string; readonly host: string | undefined } | undefined;
}

/** From a connect link to a value that a person has entered (D10). */
@Injectable()
export class EnterCredentials {
  readonly #database: Database;
  readonly #links: ConnectLinks;
  readonly #credentials: UserCredentials;
  readonly #channel: SnapshotChannel;
  readonly #logger: Logger;

  constructor(database: Database, links: ConnectLinks, credentials: UserCredentials, @Inject(channelToken) channel: SnapshotChannel, @Inject(loggerToken) logger: Logger) {
    this.#database = database;
    this.#links = links;
    this.#credentials = credentials;
    this.#channel = channel;
    this.#logger = logger;
  }

  /** @throws ConnectRefusal for whoever it was not made for: they learn nothing of it */
  async ask(link: CredentialLink, person: Person): Promise<CredentialQuestion> {
    requireItsPerson(link, person);
    const { sql } = this.#database;
    return questionOf(await findAsked(sql, link, person), await serverOf(sql, link));
  }

  /**
   * Uses the link up, and keeps the value.
   * @throws ConnectRefusal
   */
  async enter(link: CredentialLink, person: Person, value: Secret): Promise<void> {
    requireItsPerson(link, person);
    await this.#database.transaction(async (sql) => {
      await this.#links.use(sql, link).catch((error: unknown) => {
        throw refusalOfLink(error, 'link_used');
      });
      const credential = await findAsked(sql, link, person);
      await this.#credentials.save(sql, person, credential, value, { name: `person:${person.id}`, displayName: person.name, attempt: undefined });
    });
    this.#credentials.finish();
    await announceConnection(this.#channel, { connected: { owner: link.ownerId, linkId: link.id, person: person.id } }, this.#logger);
  }

  /** What a person has entered, for whoever they are. */
  async entered(credentialId: string, person: Person): Promise<CredentialQuestion | undefined> {
    const row = isUuid(credentialId) ? await findHeldCredential(this.#database.sql, person.id, credentialId) : undefined;
    return row === undefined || row.valueUpdatedAt === null ? undefined : questionOf(row, undefined);
  }
}

/** What was pasted into a form, without what is around it; undefined where it can be no value. */
export function enteredValue(text: string): Secret | undefined {
  return credentialValue.safeParse({ value: text.trim() }).data?.value;
}

/** As it is now: since the link was made, its person may have left the workspace. */
function findAsked(sql: Sql, { ownerId }: CredentialLink, person: Person): Promise<HeldCredentialRow> {
  return findUsable(sql, person, ownerId).catch((error: unknown) => {
    throw error instanceof GatewayError && error.code === 'not_found' ? new ConnectRefusal('owner_gone', { detail: error.detail ?? error.code, cause: error }) : error;
  });
}

function questionOf({ id, name, workspace, document, valueUpdatedAt }: HeldCredentialRow, server: CredentialQuestion['server']): CredentialQuestion {
  const { title = name, description } = document as { title?: string; description?: string };
  return { credentialId: id, title, description, workspace, isHeld: valueUpdatedAt !== null, server };
}

async function serverOf(sql: Sql, { serverId }: CredentialLink): Promise<CredentialQuestion['server']> {
  if (serverId === undefined) return undefined;
  const [row] = await sql<{ name: string; title: string; url: string | null }>(`select name, coalesce(document->>'title', name) as title, document->'upstream'->>'url' as url from servers where id = $1`, [serverId]);
  return row && { name: row.name, title: row.title, host: row.url !== null && URL.canParse(row.url) ? new URL(row.url).host : undefined };
}
