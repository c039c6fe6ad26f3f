import { GatewayError } from '@gatehouse/errors';
import { exchangeCode, isErrorCode, OAuthFailure, type TokenSet } from '@gatehouse/oauth-client';
import { Secret } from '@gatehouse/sealing';
import type { Logger } from '@gatehouse/service-runtime';
import type { SnapshotChannel } from '@gatehouse/snapshot-channel';
import { Inject, Injectable } from '@nestjs/common';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { channelToken, loggerToken } from '../../control-plane-parts.ts';
import { Database } from '../../database/database.ts';
import type { LoginBrowser } from '../../identity/login/login-browser.ts';
import type { Person } from '../../identity/person.ts';
import { hashToken, isToken, randomToken } from '../../identity/random-token.ts';
import { type AccountLink, type ConnectLink, ConnectLinks } from '../connect-links.service.ts';
import { Connections } from '../connections.service.ts';
import { findHeldScopes } from '../connections.store.ts';
import { auditEnded, kindOf } from '../disconnect/audit-ended.ts';
import { DiscoveredTargets } from '../discovery/discovered-targets.service.ts';
import { accountOf } from './account-of.ts';
import { announceConnection } from './announce-connection.ts';
import { AppTargets } from './app-targets.service.ts';
import { askedScopes } from './asked-scopes.ts';
import { authorizationUrl } from './authorization-url.ts';
import { clientDigest } from './client-digest.ts';
import { isUsedLink } from './connect-links.store.ts';
import { ConnectRefusal } from './connect-refusal.ts';
import { type ConnectState, insertConnectState, type StateKeys, takeConnectState } from './connect-states.store.ts';
import type { ConnectPreview, ConnectTarget, TargetSource } from './connect-target.ts';
import { grantedScopes } from './granted-scopes.ts';
import { refusalOfLink, requireAdministrator, requireItsPerson } from './link-refusals.ts';
import { type Callback, readCallback } from './read-callback.ts';

/** What a person is asked to agree to. */
export interface ConnectQuestion extends ConnectPreview {
  readonly isShared: boolean;
  /** The server that asked for it. */
  readonly server: { readonly name: string; readonly title: string } | undefined;
  readonly allScopes: readonly string[];
}

export interface MadeConnectionPage {
  readonly connectionId: string;
  readonly isComplete: boolean;
}

/** From a connect link over the provider to a connection (D10). */
@Injectable()
export class ConnectFlows {
  readonly #database: Database;
  readonly #links: ConnectLinks;
  readonly #connections: Connections;
  readonly #targets: Readonly<Record<'app' | 'server', TargetSource>>;
  readonly #apps: AppTargets;
  readonly #discovered: DiscoveredTargets;
  readonly #channel: SnapshotChannel;
  readonly #logger: Logger;

  constructor(
    database: Database, links: ConnectLinks, connections: Connections, apps: AppTargets, discovered: DiscoveredTargets,
    @Inject(channelToken) channel: SnapshotChannel, @Inject(loggerToken) logger: Logger,
  ) {
    this.#database = database;
    this.#links = links;
    this.#connections = connections;
    this.#targets = { app: apps, server: discovered };
    this.#apps = apps;
    this.#discovered = discovered;
    this.#channel = channel;
    this.#logger = logger;
  }

  /** What a link says, as long as it is good. Nothing is used up. @throws ConnectRefusal */
  async read(text: string): Promise<ConnectLink> {
    // Its expiry has a page of its own.
    const link = await this.#links.read(text, 0).catch((error: unknown) => {
      throw refusalOfLink(error, 'link_unknown');
    });
    if (link.expiresAt <= Date.now()) throw new ConnectRefusal('link_expired');
    // Another release may have made it, before this one took its place.
    const kind: string = link.ownerKind;
    if (kind !== 'credential' && !Object.hasOwn(this.#targets, kind)) throw new ConnectRefusal('owner_gone', { detail: 'a link of a kind that this release does not have' });
    if (await isUsedLink(this.#database.sql, link.id)) throw new ConnectRefusal('link_used');
    return link;
  }

  /** @throws ConnectRefusal for whoever it was not made for: they learn nothing of it */
  async ask(link: AccountLink, person: Person): Promise<ConnectQuestion> {
    requireItsPerson(link, person);
    const preview = await this.#targets[link.ownerKind].preview(link.ownerId);
    const isShared = link.personId === undefined;
    return { ...preview, isShared, server: await this.#serverOf(link), allScopes: await this.#scopesOf(link, preview.scopes) };
  }

  /** Uses the link up. @returns where to send the browser @throws ConnectRefusal */
  async begin(link: AccountLink, person: Person, browser: LoginBrowser): Promise<{ readonly url: URL; readonly title: string }> {
    requireItsPerson(link, person);
    // First whatever may fail: a provider that is away uses up nobody's link.
    const target = await this.#targets[link.ownerKind].begin(link.ownerId);
    const { owner, redirectUri, registrationId, app } = target;
    const scopes = await this.#scopesOf(link, app.scopes);
    const state = randomToken();
    const begun: ConnectState = {
      linkId: link.id, owner, personId: person.id, isShared: link.personId === undefined, scopes, redirectUri, clientDigest: clientDigest(app),
      ...(link.serverId !== undefined && { serverId: link.serverId }), ...(registrationId !== undefined && { registrationId, clientId: app.clientId }), ...(app.resource !== undefined && { resource: app.resource }),
    };
    await this.#database.transaction(async (sql) => {
      await this.#links.use(sql, link).catch((error: unknown) => {
        throw refusalOfLink(error, 'link_used');
      });
      await insertConnectState(sql, keysOf(browser, state), begun);
    });
    return { url: authorizationUrl(app, { redirectUri, state, scopes, codeVerifier: browser.derive('verifier', state) }), title: target.title };
  }

  /** What a provider sent a browser back with, as a connection. `redirectUri` is where it came to. @throws ConnectRefusal */
  async finish(query: string, redirectUri: string, person: Person, browser: LoginBrowser): Promise<MadeConnectionPage> {
    const callback = readCallback(query);
    const { state } = callback;
    // First of all, and also where the provider reports an error: what nobody began here is not looked at.
    const begun = isToken(state) ? await takeConnectState(this.#database.sql, keysOf(browser, state), person.id, redirectUri) : undefined;
    if (state === undefined || begun === undefined) throw new ConnectRefusal('state_unknown');
    const target = await this.#targets[begun.owner.kind].resume(begun.owner.id, begun);
    // An administrator may be none any more.
    if (begun.isShared) requireAdministrator(person, target.title);
    // Whoever edits the app meanwhile must not have the code, its verifier and the secret sent to a place that nobody agreed to.
    if (begun.clientDigest !== clientDigest(target.app)) throw changedMeanwhile(target);
    const code = codeOf(callback, target);
    const tokens = await redeem(target, begun, code, new Secret(browser.derive('verifier', state)));
    return this.#store(target, begun, tokens, person);
  }

  async #store(target: ConnectTarget, begun: ConnectState, tokens: TokenSet, person: Person): Promise<MadeConnectionPage> {
    const { owner, name, workspace, title, registrationId, app } = target;
    const { isShared, linkId } = begun;
    const { scopes, missing } = grantedScopes(begun.scopes, await this.#neededBy(begun.serverId), tokens);
    const ending = registrationId === undefined ? undefined : await this.#discovered.prepareChange(owner.id, registrationId);
    const connectionId = await this.#database
      .transaction(async (sql) => {
        // The tokens are of the client that the code was redeemed for, and go to no other one with its next refresh.
        if (owner.kind === 'app' && (await this.#apps.lockedDigest(sql, owner)) !== begun.clientDigest) throw changedMeanwhile(target);
        const ended = registrationId === undefined ? [] : await this.#discovered.settle(sql, owner.id, { registrationId, resource: app.resource }, ending);
        const id = await this.#connections.save(sql, {
          owner, personId: isShared ? undefined : person.id, tokens, requestedScopes: scopes, account: accountOf(tokens), client: target.client,
        });
        const actor = { name: `person:${person.id}`, displayName: person.name, attempt: undefined };
        await auditEnded(sql, ended, 'provider-changed', actor);
        await appendAuditEvent(sql, {
          actor,
          action: 'connection.connected', workspace, targetKind: 'Connection', targetId: id, targetName: name, fields: [kindOf(isShared ? undefined : person.id)],
        });
        return id;
      })
      .catch((error: unknown) => {
        if (error instanceof GatewayError && error.code === 'conflict') throw new ConnectRefusal('owner_gone', { app: title, cause: error });
        throw error;
      });
    this.#connections.finish();
    if (ending) this.#discovered.finishChange();
    await announceConnection(this.#channel, { connected: { owner: owner.id, linkId, ...(!isShared && { person: person.id }) } }, this.#logger);
    return { connectionId, isComplete: missing.length === 0 };
  }

  async #scopesOf({ ownerId, personId, serverId, scopes: wanted }: ConnectLink, always: readonly string[]): Promise<string[]> {
    return askedScopes({ always, needed: await this.#neededBy(serverId), wanted, held: await findHeldScopes(this.#database.sql, ownerId, personId ?? null) });
  }

  async #neededBy(serverId: string | undefined): Promise<readonly string[]> {
    if (serverId === undefined) return [];
    const [row] = await this.#database.sql<{ scopes: readonly string[] | null }>(`select document->'appAuth'->'scopes' as scopes from servers where id = $1`, [serverId]);
    return row?.scopes ?? [];
  }

  async #serverOf({ serverId }: ConnectLink): Promise<{ name: string; title: string } | undefined> {
    if (serverId === undefined) return undefined;
    const [row] = await this.#database.sql<{ name: string; title: string }>(`select name, coalesce(document->>'title', name) as title from servers where id = $1`, [serverId]);
    return row;
  }
}

const keysOf = (browser: LoginBrowser, state: string): StateKeys => ({ stateHash: hashToken(state), browserHash: hashToken(browser.derive('browser')) });

const changedMeanwhile = ({ title: app }: ConnectTarget): ConnectRefusal => new ConnectRefusal('owner_gone', { app, detail: 'its client is another than when this was begun' });

/** @throws ConnectRefusal for an answer of another provider, an error, or nothing */
function codeOf({ iss, code, error, words }: Callback, { title: app, app: { issuer }, isIssRequired }: ConnectTarget): Secret {
  // RFC 9207 section 2.4, errors included: what another provider says is not this one's.
  if (iss === undefined ? isIssRequired : issuer !== undefined && iss !== issuer) throw new ConnectRefusal('other_issuer', { app, detail: `iss ${iss === undefined ? 'is missing' : 'is another'}` });
  const said = { app, ...(words !== undefined && { words }) };
  if (error === 'access_denied') throw new ConnectRefusal('denied', said);
  if (error === 'temporarily_unavailable' || error === 'server_error') throw new ConnectRefusal('provider_unavailable', { ...said, ...factsOf(error) });
  if (error !== undefined) throw new ConnectRefusal('refused_by_provider', { ...said, ...factsOf(error), detail: `the provider answered ${error}` });
  if (code === undefined) throw new ConnectRefusal('refused_by_provider', { app, detail: 'neither a code nor an error' });
  return code;
}

/** What a provider calls a code is not shown where it could say anything else (docs/decisions/0008). */
const factsOf = (error: string | undefined) => (isErrorCode(error) ? { facts: { Error: error } } : {});

const reasons = { refused: 'code_refused', misconfigured: 'misconfigured', unavailable: 'provider_unavailable' } as const;

/** @throws ConnectRefusal */
async function redeem({ title: app, app: { pkce }, client }: ConnectTarget, { redirectUri }: ConnectState, code: Secret, codeVerifier: Secret): Promise<TokenSet> {
  try {
    return await exchangeCode(client.client, { code, redirectUri, ...(pkce && { codeVerifier }) });
  } catch (error) {
    if (!(error instanceof OAuthFailure)) throw error;
    throw new ConnectRefusal(reasons[error.kind], { app, detail: error.message, cause: error, ...factsOf(error.error) });
  }
}
