import type { ResolvedApp } from '@gatehouse/app-catalog';
import { GatewayError } from '@gatehouse/errors';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { cleanWords } from '../connect/clean-words.ts';
import { ConnectRefusal } from '../connect/connect-refusal.ts';
import type { BegunTarget, ConnectPreview, ConnectTarget, TargetSource } from '../connect/connect-target.ts';
import { ConnectionClients } from '../connection-clients.service.ts';
import type { OwnerClient } from '../connection.ts';
import { Disconnections, type EndedConnection, type RevokingClients } from '../disconnect/disconnections.service.ts';
import { authenticationOf, ClientRegistrations, type Registration } from './client-registrations.service.ts';
import { type DiscoveredUpstream, discoverUpstream } from './discover-upstream.ts';
import { type DiscoverableServer, findDiscoverable, findSettled, putSettled, type SettledServer } from './discovered-servers.store.ts';
import { DiscoveryEgress } from './discovery-egress.service.ts';
import { DiscoveryFailure } from './discovery-failure.ts';

interface Remembered {
  readonly upstreamUrl: string;
  readonly found: DiscoveredUpstream;
  readonly until: number;
}

/** From looking at the page to pressing its button. */
const rememberedMs = 60_000;
const maxRemembered = 1_000;

/** Connecting a server whose upstream itself says where people authorize (`discover: true`, P26). */
@Injectable()
export class DiscoveredTargets implements TargetSource, OnModuleInit {
  readonly #database: Database;
  readonly #registrations: ClientRegistrations;
  readonly #disconnections: Disconnections;
  readonly #egress: DiscoveryEgress;
  readonly #clients: ConnectionClients;
  readonly #controlPlaneUrl: string;
  readonly #remembered = new Map<string, Remembered>();

  constructor(
    database: Database, registrations: ClientRegistrations, disconnections: Disconnections, egress: DiscoveryEgress, clients: ConnectionClients,
    @Inject(settingsToken) settings: ControlPlaneSettings,
  ) {
    this.#database = database;
    this.#registrations = registrations;
    this.#disconnections = disconnections;
    this.#egress = egress;
    this.#clients = clients;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  onModuleInit(): void {
    this.#clients.provide('server', (id, clientId) => this.#clientOf(id, clientId));
  }

  async preview(serverId: string): Promise<ConnectPreview> {
    const server = await this.#server(serverId);
    const { server: { issuer, authorizationUrl, tokenUrl }, scopes } = await this.#discover(server);
    return { ...shown(server), issuer, authorizationUrl, tokenUrl, scopes };
  }

  async begin(serverId: string): Promise<ConnectTarget> {
    const server = await this.#server(serverId);
    const found = await this.#discover(server);
    const registration = await this.#registrations.ensure(server.workspaceId, found.server, found.isNear).catch((error: unknown) => {
      throw refusalOf(error, server.title, 'cannot_register', this.#whatToEnter(server, found));
    });
    if (!registration) throw new ConnectRefusal('cannot_register', { app: server.title, detail: `${found.server.issuer} registers nobody`, facts: this.#whatToEnter(server, found) });
    return targetOf(server, registration, found.resource, found.scopes);
  }

  async resume(serverId: string, { registrationId, clientId, resource }: BegunTarget): Promise<ConnectTarget> {
    const server = await this.#server(serverId);
    const registration = registrationId === undefined ? undefined : await this.#registrations.read(registrationId, clientId ?? null);
    if (registration?.workspaceId !== server.workspaceId) throw new ConnectRefusal('owner_gone', { app: server.title });
    return targetOf(server, registration, resource, []);
  }

  /** Before the transaction of `settle`: tokens of another authorization server end with the first of the new one. */
  async prepareChange(serverId: string, registrationId: string): Promise<RevokingClients | undefined> {
    const settled = await findSettled(this.#database.sql, serverId);
    return settled && settled.registrationId !== registrationId ? this.#disconnections.prepare({ owner: serverId }) : undefined;
  }

  /** What the connections of a server are of, from the first that was made. @returns those that end with it */
  async settle(sql: Sql, serverId: string, settled: SettledServer, ending: RevokingClients | undefined): Promise<readonly EndedConnection[]> {
    const former = await putSettled(sql, serverId, settled);
    // A refresh token is shown to nobody but who gave it.
    return former !== undefined && former !== settled.registrationId ? this.#disconnections.end(sql, { owner: serverId }, ending ?? new Map()) : [];
  }

  finishChange(): void {
    this.#disconnections.finish();
  }

  /** For tokens that are there: asks nobody. */
  async #clientOf(serverId: string, clientId: string | null): Promise<OwnerClient> {
    const { sql } = this.#database;
    const settled = await findSettled(sql, serverId);
    const registration = settled && (await this.#registrations.read(settled.registrationId, clientId));
    const [server] = await sql<{ title: string }>(`select coalesce(document->>'title', name) as title from servers where id = $1`, [serverId]);
    if (!registration || !server) throw new GatewayError('connection_misconfigured', { detail: `nothing was discovered of server ${serverId}` });
    return ownerClientOf(server.title, registration, settled.resource);
  }

  async #server(id: string): Promise<DiscoverableServer> {
    const server = await findDiscoverable(this.#database.sql, id);
    if (!server) throw new ConnectRefusal('owner_gone');
    return server;
  }

  async #discover({ id, title, upstreamUrl, transport }: DiscoverableServer): Promise<DiscoveredUpstream> {
    const known = this.#remembered.get(id);
    if (known && known.upstreamUrl === upstreamUrl && Date.now() < known.until) return known.found;
    const found = await discoverUpstream(upstreamUrl, transport, this.#egress).catch((error: unknown) => {
      throw refusalOf(error, title, 'cannot_discover', {
        Upstream: new URL(upstreamUrl).origin,
        'What to do': 'Where its provider is known: add an App for it, and name that in appAuth.app in place of discover.',
      });
    });
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(id, { upstreamUrl, found, until: Date.now() + rememberedMs });
    return found;
  }

  /** What an administrator needs for an app in its place. */
  #whatToEnter({ workspace, name }: DiscoverableServer, { server: { issuer, authorizationUrl, tokenUrl }, scopes }: DiscoveredUpstream): Record<string, string> {
    return {
      'What to do': `Register a client at ${issuer}; then add an App of workspace ${workspace} with the URLs below, and name it in appAuth.app of server ${name} in place of discover.`,
      'Redirect URI to register': `${this.#controlPlaneUrl}/connect/callback/${workspace}/<name of the app>`,
      authorizationUrl, tokenUrl, issuer,
      ...(scopes.length > 0 && { scopes: scopes.join(' ') }),
    };
  }
}

const shown = ({ id, workspaceId, workspace, name, title }: DiscoverableServer) => ({ owner: { kind: 'server', id, workspaceId } as const, workspace, name, title });

function targetOf(server: DiscoverableServer, registration: Registration, resource: string | undefined, scopes: readonly string[]): ConnectTarget {
  const app = appOf(registration, resource, scopes);
  return {
    ...shown(server), scopes, app,
    authorizationUrl: app.authorizationUrl,
    tokenUrl: app.tokenUrl,
    issuer: app.issuer,
    client: ownerClientOf(server.title, registration, resource),
    redirectUri: registration.redirectUri,
    isIssRequired: registration.server.isIssRequired,
    registrationId: registration.id,
  };
}

function appOf({ server, clientId, clientSecret, clientAuth }: Registration, resource: string | undefined, scopes: readonly string[]): ResolvedApp {
  const { issuer, authorizationUrl, tokenUrl, revocationUrl } = server;
  return {
    issuer, authorizationUrl, tokenUrl, refreshUrl: tokenUrl, revocationUrl, clientId, clientSecret, clientAuth, scopes, resource,
    scopeSeparator: ' ',
    scopeParameter: 'scope',
    pkce: true,
    // OpenID Connect Core section 11: without it offline access may be ignored.
    authorizationParameters: scopes.includes('offline_access') && server.takesConsentPrompt ? { prompt: 'consent' } : {},
    tokenParameters: {},
    tokenRequest: 'form',
    refresh: { rotates: true },
    revocation: revocationUrl === undefined ? 'none' : 'rfc7009',
  };
}

function ownerClientOf(title: string, registration: Registration, resource: string | undefined): OwnerClient {
  const { server: { issuer, tokenUrl, revocationUrl }, clientId, fetch } = registration;
  const revocation = revocationUrl === undefined ? 'none' : 'rfc7009';
  return { title, client: { issuer, tokenUrl, revocationUrl, clientId, authentication: authenticationOf(registration), resource, revocation, fetch }, refresh: { rotates: true } };
}

function refusalOf(error: unknown, app: string, reason: 'cannot_discover' | 'cannot_register', facts: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof DiscoveryFailure)) return error;
  const details = { app, detail: error.message, cause: error };
  // The message names addresses and what they publish, and no secret: whoever administers the gateway needs it.
  const Problem = cleanWords(error.message);
  return error.isPassing ? new ConnectRefusal('provider_unavailable', { ...details, facts: { Problem } }) : new ConnectRefusal(reason, { ...details, facts: { Problem, ...facts } });
}
