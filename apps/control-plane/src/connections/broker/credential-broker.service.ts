import { createHash } from 'node:crypto';
import type { ConnectReason, TokenAnswer, TokenRequest } from '@gatehouse/access-tokens';
import { GatewayError } from '@gatehouse/errors';
import { unseal, UnsealError } from '@gatehouse/sealing';
import { Injectable } from '@nestjs/common';
import { namedCredentials } from '../../credentials/named-credentials.ts';
import { type UserCredentialPlace, userCredentialContext } from '../../credentials/user-credentials.store.ts';
import { Database } from '../../database/database.ts';
import { People } from '../../identity/people.service.ts';
import { Vault } from '../../vault/vault.ts';
import { ConnectLinks } from '../connect-links.service.ts';
import { CallerIssuers } from './caller-issuers.service.ts';
import { type CredentialLookup, findUserCredential } from './find-user-credential.store.ts';
import { isOutdated, upstreamOf } from './is-outdated.ts';

/** Gives data planes what a person has entered for a credential, or says where it is entered. Never another person's. */
@Injectable()
export class CredentialBroker {
  readonly #database: Database;
  readonly #vault: Vault;
  readonly #people: People;
  readonly #issuers: CallerIssuers;
  readonly #links: ConnectLinks;

  constructor(database: Database, vault: Vault, people: People, issuers: CallerIssuers, links: ConnectLinks) {
    this.#database = database;
    this.#vault = vault;
    this.#people = people;
    this.#issuers = issuers;
    this.#links = links;
  }

  /** @throws GatewayError database_unavailable, vault_sealed_value_unreadable */
  async answer(request: TokenRequest, name: string): Promise<TokenAnswer> {
    const { server, subject, refused } = request;
    if (subject === 'shared') return { status: 'misconfigured' };
    const found = await findUserCredential(this.#database.sql, server, subject, name);
    // What a server's callers are asked for is the document's to say: who asks for another does not get it.
    if (!found || !namedCredentials(found.document).some((named) => named.scope === 'user' && named.name === name)) return { status: 'misconfigured' };
    if (isOutdated(request, upstreamOf(found.document))) return { status: 'outdated' };
    const { workspaceId, agentAuth, person, credentialId, valueId, sealed } = found;
    if (credentialId === null) return { status: 'misconfigured' };
    if (person === null || this.#people.personOf(person).disabled) return { status: 'no_person' };
    const refusal = await this.#issuers.refusalOf(agentAuth, subject);
    if (refusal !== undefined) return { status: refusal };
    if (valueId === null || sealed === null) return this.#ask(server, found, credentialId, person.id, 'not_connected');
    const value = await this.#open({ id: valueId, workspaceId, credentialId, personId: person.id }, sealed);
    if (refused !== undefined && hashOf(value) === refused) return this.#ask(server, found, credentialId, person.id, 'refused');
    return { status: 'token', accessToken: value, connection: valueId, owner: credentialId, person: person.id, credential: name };
  }

  async #ask(serverId: string, { workspaceId, credentialTitle }: CredentialLookup, ownerId: string, personId: string, reason: Extract<ConnectReason, 'not_connected' | 'refused'>): Promise<TokenAnswer> {
    const { connectUrl, linkId } = await this.#links.connectLinkFor({ workspaceId, ownerKind: 'credential', ownerId, serverId, personId, scopes: [] });
    const status = reason === 'refused' ? 'reconnect_required' : 'connect_required';
    return { status, connectUrl, linkId, owner: ownerId, app: credentialTitle ?? '', reason, credential: true };
  }

  async #open(place: UserCredentialPlace, sealed: Buffer): Promise<string> {
    try {
      return unseal(await this.#vault.openingRing(this.#database.sql, place.workspaceId), userCredentialContext(place), sealed).toString('utf8');
    } catch (cause) {
      if (!(cause instanceof UnsealError)) throw cause;
      throw new GatewayError('vault_sealed_value_unreadable', { detail: `value ${place.id} of credential ${place.credentialId}`, cause });
    }
  }
}

const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url');
