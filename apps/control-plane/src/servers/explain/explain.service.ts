import type { AuthorizationServerRecord } from '@gatehouse/agent-auth';
import type { AddressGuard } from '@gatehouse/egress';
import { GatewayError } from '@gatehouse/errors';
import type { AuthorizationServerDocument } from '@gatehouse/gateway-config';
import { readPublicKeys } from '@gatehouse/token-verification';
import { prepareServer } from '@gatehouse/upstream-request';
import { Inject, Injectable } from '@nestjs/common';
import { readAuthorizationServer } from '../../agents-oauth/read-authorization-server.ts';
import { Database } from '../../database/database.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { environmentPolicyOf } from '../../header-policy/environment-policy.ts';
import { readKnownPolicy } from '../../header-policy/read-global-policy.ts';
import { parseDocument } from '../../http/parse-document.ts';
import { findServiceAccountByKeyId } from '../../service-accounts/service-accounts.store.ts';
import { CompleteServers } from '../complete-servers.service.ts';
import { addressGuardToken } from '../probe/address-guard.provider.ts';
import { type ServerReference, ServersService } from '../servers.service.ts';
import { type AuthenticationParts, recogniseCaller, someone } from './caller-authentication.ts';
import { explainInput, maxInputBytes } from './explain-input.ts';
import { explainRequest } from './explain-request.ts';
import type { Explanation } from './explanation.ts';
import { presentExplanation } from './present-explanation.ts';
import { readGivenRequest } from './read-given-request.ts';
import { assumptionsOf, requestWarnings } from './request-remarks.ts';

/** Says what would leave for a server, without sending it. Nothing of the request is kept. */
@Injectable()
export class ExplainService {
  readonly #completeServers: CompleteServers;
  readonly #servers: ServersService;
  readonly #database: Database;
  readonly #settings: ControlPlaneSettings;
  readonly #guard: AddressGuard;

  constructor(
    completeServers: CompleteServers, servers: ServersService, database: Database,
    @Inject(settingsToken) settings: ControlPlaneSettings, @Inject(addressGuardToken) guard: AddressGuard,
  ) {
    this.#completeServers = completeServers;
    this.#servers = servers;
    this.#database = database;
    this.#settings = settings;
    this.#guard = guard;
  }

  /** @throws GatewayError not_found, server_not_found, server_unreadable, body_too_large, validation_failed, vault_sealed_value_unreadable */
  async explain(reference: ServerReference, body: unknown): Promise<Explanation> {
    const { sql } = this.#database;
    const { warnings: standing } = await this.#servers.read(reference);
    const { id, workspace, server: document } = await this.#completeServers.complete(reference.workspace, reference.idOrName);
    if (Buffer.byteLength(JSON.stringify(body ?? null)) > maxInputBytes) throw new GatewayError('body_too_large');
    const given = readGivenRequest(parseDocument(explainInput, body));
    const server = prepareServer(id, workspace, document);
    const { policy, warnings: ofPolicy } = await readKnownPolicy(sql, environmentPolicyOf(this.#settings));
    const ofCaller: Explanation['warnings'] = [];
    const explained = await explainRequest(server, policy, given, async (headers) => {
      if (!server.enabled) return someone;
      const { caller, warning } = await recogniseCaller(server, headers, this.#authenticationParts());
      if (warning) ofCaller.push(warning);
      return caller;
    }, this.#settings.CONTROL_PLANE_URL);

    const presented = presentExplanation(given, explained, server);
    const leaving = presented.tokens.filter(({ code }) => code === 'token_leaves').map(({ code, detail }) => ({ code, detail }));
    const warnings = [
      ...ofCaller,
      ...leaving,
      ...requestWarnings(given, explained, server, new URL(this.#settings.DATA_PLANE_URL).origin),
      ...standing,
      ...ofPolicy,
    ];
    return { ...presented, warnings, assumptions: assumptionsOf(given, explained, server) };
  }

  /** What data planes have in their snapshot is read from the database. */
  #authenticationParts(): AuthenticationParts {
    const { sql } = this.#database;
    const { CONTROL_PLANE_URL: issuer, DATA_PLANE_URL: publicUrl, OAUTH_DYNAMIC_REGISTRATION: registersClients } = this.#settings;
    return {
      findAccount: (keyId) => findServiceAccountByKeyId(sql, keyId),
      readAuthorizationServer: async () => authorizationServerOf(await readAuthorizationServer(sql, issuer, registersClients)),
      publicUrl,
      guard: this.#guard,
      now: Date.now,
    };
  }
}

function authorizationServerOf({ issuer, jwks, revoked, suspendedProviders }: AuthorizationServerDocument): AuthorizationServerRecord {
  const keys = readPublicKeys(jwks);
  if (keys === undefined) throw new TypeError('no key set');
  return { issuer, keys, revoked: new Set(revoked.map(({ grant }) => grant)), suspendedProviders: new Set(suspendedProviders) };
}
