import type { IncomingMessage, ServerResponse } from 'node:http';
import { GatewayError } from '@gatehouse/errors';
import { Inject, Injectable } from '@nestjs/common';
import { errors, type InteractionResults } from 'oidc-provider';
import type Provider from 'oidc-provider';
import { appendAuditEvent } from '../../audit/append-audit-event.ts';
import { Database } from '../../database/database.ts';
import { uuidV7 } from '../../database/uuid-v7.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import type { BrowserSession } from '../../identity/browser-sessions.service.ts';
import { AuthorizationServer } from '../authorization-server.service.ts';
import { clientIdentity } from '../client-identity.ts';
import { hasConsented, putConsent } from '../consents.store.ts';
import { insertGrant } from '../grants.store.ts';
import { keepClientDocument } from '../kept-client-documents.ts';
import { lifetimes } from '../lifetimes.ts';
import { OAuthState, stateKey } from '../oauth-state.service.ts';
import { prolongClient } from '../oauth-state.store.ts';
import { findResourceServer, readResource, type ResourceServer } from '../resource-servers.ts';
import { type FlowProgress, type LoginFlow, nextStep, type Step } from './login-flow.ts';

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

interface Exchange {
  readonly raw: IncomingMessage;
}

interface OpenFlow {
  readonly flow: LoginFlow;
  /** As the client described itself. */
  readonly metadata: object;
  readonly interaction: Interaction;
  readonly provider: Provider;
}

/** Logins that clients have begun: which one a browser is in, what comes next, and how it ends. */
@Injectable()
export class LoginFlows {
  readonly #server: AuthorizationServer;
  readonly #database: Database;
  readonly #state: OAuthState;
  readonly #dataPlaneUrl: string;

  constructor(server: AuthorizationServer, database: Database, state: OAuthState, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#server = server;
    this.#database = database;
    this.#state = state;
    this.#dataPlaneUrl = settings.DATA_PLANE_URL;
  }

  /** The flow that a browser's cookie and the path both name. @throws GatewayError login_expired, server_not_found */
  async open(uid: string, request: Exchange, response: { readonly raw: ServerResponse }): Promise<OpenFlow> {
    const provider = await this.#server.provider();
    const interaction = await provider.interactionDetails(request.raw, response.raw).catch(asGatewayError);
    if (interaction.uid !== uid) throw new GatewayError('login_expired');
    return { ...(await this.#flowOf(provider, interaction)), interaction, provider };
  }

  async next({ flow }: OpenFlow, session: BrowserSession | undefined): Promise<Step> {
    const { client, audience, scopes } = flow;
    const consent = session && { personId: session.person.id, clientId: client.id, redirectHost: client.redirectHost, resource: audience };
    return nextStep(flow, session, consent !== undefined && (await hasConsented(this.#database.sql, consent, scopes)), Date.now());
  }

  async note({ interaction, flow }: OpenFlow, progress: FlowProgress): Promise<void> {
    interaction.result = { progress: { ...flow.progress, ...progress } };
    await interaction.persist();
  }

  /** The person has agreed and may. @returns where the browser goes to be sent back to its client */
  async finish({ flow, metadata, interaction, provider }: OpenFlow, { sessionId, person, authenticatedAt }: BrowserSession): Promise<string> {
    const { client, audience, resource, scopes, server } = flow;
    const grant = new provider.Grant({ accountId: person.id, clientId: client.id });
    grant.jti = uuidV7();
    grant.addResourceScope(resource, scopes.filter((scope) => server.scopes.includes(scope)));
    const ofTheProvider = scopes.filter((scope) => !server.scopes.includes(scope));
    if (ofTheProvider.length > 0) grant.addOIDCScope(ofTheProvider);
    const consent = { personId: person.id, clientId: client.id, redirectHost: client.redirectHost, resource: audience };
    await this.#database.transaction(async (sql) => {
      await insertGrant(sql, { ...consent, id: grant.jti, sessionId, clientName: client.name });
      await putConsent(sql, consent, scopes);
      await prolongClient(sql, stateKey('Client', client.id).idHash, lifetimes.client);
      await appendAuditEvent(sql, {
        actor: { name: `person:${person.id}`, displayName: person.name, attempt: undefined }, action: 'grant.created',
        workspace: server.workspace, targetKind: 'Grant', targetId: grant.jti, targetName: client.id, fields: [],
      });
    });
    await grant.save();
    if (client.publishedAt !== undefined) await keepClientDocument(this.#state, client.id, metadata, lifetimes.client);
    return this.#conclude(interaction, {
      login: { accountId: person.id, ts: Math.floor(authenticatedAt.getTime() / 1_000), remember: false },
      consent: { grantId: grant.jti },
      select_account: {},
    });
  }

  /** The person has refused, or may not. @returns where the browser goes to be sent back to its client */
  deny({ interaction }: Pick<OpenFlow, 'interaction'>): Promise<string> {
    // RFC 6749 section 4.1.2.1.
    return this.#conclude(interaction, { error: 'access_denied', error_description: 'the person did not allow it' });
  }

  async #conclude(interaction: Interaction, result: InteractionResults): Promise<string> {
    interaction.result = result;
    await interaction.persist();
    const { pathname, search } = new URL(interaction.returnTo);
    return pathname + search;
  }

  async #flowOf(provider: Provider, interaction: Interaction): Promise<Pick<OpenFlow, 'flow' | 'metadata'>> {
    const { client_id: clientId, redirect_uri: redirectUri, resource: sent, scope, prompt, max_age: maxAge } = interaction.params as Partial<Record<string, string>>;
    const resource = [sent].flat()[0] ?? '';
    const name = readResource(resource, this.#dataPlaneUrl);
    const client = await provider.Client.find(clientId ?? '');
    if (!client) throw new GatewayError('login_expired');
    const server: ResourceServer | undefined = name && (await findResourceServer(this.#database.sql, name));
    if (!name || !server) throw new GatewayError('server_not_found');
    const flow: LoginFlow = {
      uid: interaction.uid, client: clientIdentity(client, redirectUri ?? ''), server, resource, audience: name.audience,
      scopes: (scope ?? '').split(' ').filter((part) => part !== ''),
      prompts: new Set((prompt ?? '').split(' ')),
      maxAgeSeconds: maxAge === undefined ? undefined : Number(maxAge),
      startedAt: interaction.iat * 1_000,
      progress: interaction.result?.['progress'] ?? {},
    };
    return { flow, metadata: client.metadata() };
  }
}

/** A flow that is over, or whose cookie is missing. */
function asGatewayError(error: unknown): never {
  if (error instanceof errors.SessionNotFound) throw new GatewayError('login_expired', { cause: error });
  throw error;
}
