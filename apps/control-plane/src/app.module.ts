import type { Logger, Tracer } from '@gatehouse/service-runtime';
import type { CallEventStream, SnapshotChannel } from '@gatehouse/snapshot-channel';
import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ZodSerializerInterceptor } from 'nestjs-zod';
import { AgentGrants } from './agents-oauth/agent-grants.service.ts';
import { AuthorizationServer } from './agents-oauth/authorization-server.service.ts';
import { IdentityAssertions } from './agents-oauth/identity-assertions.service.ts';
import { OAuthClientsController } from './oauth-clients/oauth-clients.controller.ts';
import { OAuthClients } from './oauth-clients/oauth-clients.service.ts';
import { SigningKeysController } from './agents-oauth/signing-keys.controller.ts';
import { AgentsPageController } from './agents-oauth/agents-page/agents-page.controller.ts';
import { InteractionController } from './agents-oauth/interaction/interaction.controller.ts';
import { LoginFlows } from './agents-oauth/interaction/login-flows.service.ts';
import { OAuthEgress } from './agents-oauth/oauth-egress.service.ts';
import { OAuthHousekeeping } from './agents-oauth/oauth-housekeeping.service.ts';
import { OAuthState } from './agents-oauth/oauth-state.service.ts';
import { AppsController } from './apps/apps.controller.ts';
import { Apps } from './apps/apps.service.ts';
import { CatalogController } from './apps/catalog.controller.ts';
import { catalogProvider } from './apps/catalog.ts';
import { AuditEventsController } from './audit/audit-events.controller.ts';
import { AuthTypesController } from './auth-types/auth-types.controller.ts';
import { IdentityKeysController } from './caller-identity/identity-keys.controller.ts';
import { PublishedKeysController } from './caller-identity/published-keys.controller.ts';
import { CallEvents } from './call-events/call-events.service.ts';
import { CallEventsController } from './call-events/call-events.controller.ts';
import { connectControllers, connectProviders } from './connections/connect/connect-providers.ts';
import { connectionProviders } from './connections/connection-providers.ts';
import { ConnectionsController } from './connections/connections.controller.ts';
import { MyConnectionsController } from './connections/my-connections.controller.ts';
import { callEventsToken, channelToken, loggerToken } from './control-plane-parts.ts';
import { Credentials } from './credentials/credentials.service.ts';
import { CredentialsController } from './credentials/credentials.controller.ts';
import { MyCredentialsController } from './credentials/my-credentials.controller.ts';
import { UserCredentials } from './credentials/user-credentials.service.ts';
import { DataPlanesController } from './data-planes/data-planes.controller.ts';
import { Database } from './database/database.ts';
import { type ControlPlaneSettings, settingsToken } from './environment.ts';
import { HeaderPolicyController } from './header-policy/header-policy.controller.ts';
import { HeaderPolicyService } from './header-policy/header-policy.service.ts';
import { PassThroughReport } from './header-policy/pass-through-report.service.ts';
import { Metrics } from './health/metrics.ts';
import { AllowedMethods } from './http/allowed-methods.ts';
import { ProblemFilter } from './http/problem.filter.ts';
import { RoleGuard } from './http/role.guard.ts';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.ts';
import { IdempotencyService } from './idempotency/idempotency.service.ts';
import { ApiTokensController } from './identity/api-tokens/api-tokens.controller.ts';
import { ApiTokens } from './identity/api-tokens/api-tokens.service.ts';
import { BrowserSessions } from './identity/browser-sessions.service.ts';
import { FirstAdminLinkController } from './identity/local/first-admin-link.controller.ts';
import { LocalLogin } from './identity/local/local-login.service.ts';
import { LoginLinks } from './identity/local/login-links.service.ts';
import { LoginChecks } from './identity/login/login-checks.service.ts';
import { LoginController } from './identity/login/login.controller.ts';
import { LoginLimits } from './identity/login/login-limits.service.ts';
import { ProviderLogin } from './identity/login/provider-login.service.ts';
import { ProviderWord } from './identity/login/provider-word.service.ts';
import { MeController } from './identity/me/me.controller.ts';
import { People } from './identity/people.service.ts';
import { Principals } from './identity/principals.service.ts';
import { ProviderJwts } from './identity/provider-jwts.service.ts';
import { IdentityProvidersController } from './identity/providers/identity-providers.controller.ts';
import { IdentityProviders } from './identity/providers/identity-providers.service.ts';
import { ProviderClients } from './identity/providers/provider-clients.service.ts';
import { ProviderEgress } from './identity/providers/provider-egress.service.ts';
import { ProviderStatements } from './identity/providers/provider-statements.service.ts';
import { UsersController } from './identity/users/users.controller.ts';
import { Users } from './identity/users/users.service.ts';
import { CompleteServers } from './servers/complete-servers.service.ts';
import { ExplainController } from './servers/explain/explain.controller.ts';
import { ExplainService } from './servers/explain/explain.service.ts';
import { addressGuardProvider } from './servers/probe/address-guard.provider.ts';
import { ProbeContexts } from './servers/probe/probe-contexts.service.ts';
import { ServerProbeController } from './servers/probe/server-probe.controller.ts';
import { ServersController } from './servers/servers.controller.ts';
import { ServersService } from './servers/servers.service.ts';
import { ImportPreviews } from './servers/tools/import-preview.service.ts';
import { ImportProcesses } from './servers/tools/import-processes.ts';
import { Reimports } from './servers/tools/reimport.service.ts';
import { ToolImportsController } from './servers/tools/tool-imports.controller.ts';
import { ToolImports } from './servers/tools/tool-imports.service.ts';
import { VirtualMembers } from './servers/virtual-members.service.ts';
import { ServiceAccountsController } from './service-accounts/service-accounts.controller.ts';
import { ServiceAccountsService } from './service-accounts/service-accounts.service.ts';
import { SnapshotPublisher } from './snapshots/snapshot-publisher.service.ts';
import { KeyRotation } from './vault/key-rotation.service.ts';
import { Vault } from './vault/vault.ts';
import { VaultKeysController } from './vault/vault-keys.controller.ts';
import { VaultKeys } from './vault/vault-keys.service.ts';
import { WorkspacesController } from './workspaces/workspaces.controller.ts';
import { WorkspacesService } from './workspaces/workspaces.service.ts';

/** What a control plane is started with, made before Nest. */
export interface ControlPlaneParts {
  readonly settings: ControlPlaneSettings;
  readonly logger: Logger;
  readonly database: Database;
  readonly vault: Vault;
  readonly channel: SnapshotChannel;
  readonly callEvents: CallEventStream;
  readonly metrics: Metrics;
  /** Absent where nobody wants spans. */
  readonly tracer: Tracer | undefined;
  readonly allowedMethods: AllowedMethods;
}

@Module({})
export class AppModule {
  static of(parts: ControlPlaneParts): DynamicModule {
    return {
      module: AppModule,
      controllers: [
        WorkspacesController,
        ServersController,
        ServerProbeController,
        ToolImportsController,
        ExplainController,
        AppsController,
        CatalogController,
        CredentialsController,
        MyCredentialsController,
        ServiceAccountsController,
        HeaderPolicyController,
        IdentityProvidersController,
        LoginController,
        MeController,
        UsersController,
        ApiTokensController,
        FirstAdminLinkController,
        InteractionController,
        AgentsPageController,
        OAuthClientsController,
        SigningKeysController,
        IdentityKeysController,
        PublishedKeysController,
        ConnectionsController,
        MyConnectionsController,
        ...connectControllers,
        AuditEventsController,
        CallEventsController,
        DataPlanesController,
        VaultKeysController,
        AuthTypesController,
      ],
      providers: [
        { provide: settingsToken, useValue: parts.settings },
        { provide: loggerToken, useValue: parts.logger },
        { provide: channelToken, useValue: parts.channel },
        { provide: callEventsToken, useValue: parts.callEvents },
        { provide: Database, useValue: parts.database },
        { provide: Vault, useValue: parts.vault },
        { provide: Metrics, useValue: parts.metrics },
        { provide: AllowedMethods, useValue: parts.allowedMethods },
        { provide: APP_GUARD, useClass: RoleGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        // The first is the outermost: an answer is recorded as it was sent.
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: APP_INTERCEPTOR, useClass: ZodSerializerInterceptor },
        SnapshotPublisher,
        CallEvents,
        KeyRotation,
        VaultKeys,
        People,
        BrowserSessions,
        ProviderEgress,
        IdentityProviders,
        ProviderClients,
        ProviderLogin,
        LocalLogin,
        LoginLinks,
        LoginLimits,
        ProviderStatements,
        ProviderJwts,
        ApiTokens,
        Principals,
        Users,
        OAuthState,
        OAuthEgress,
        AgentGrants,
        ProviderWord,
        LoginChecks,
        IdentityAssertions,
        AuthorizationServer,
        OAuthHousekeeping,
        LoginFlows,
        IdempotencyService,
        WorkspacesService,
        OAuthClients,
        ServersService,
        Apps,
        catalogProvider,
        Credentials,
        UserCredentials,
        ServiceAccountsService,
        HeaderPolicyService,
        PassThroughReport,
        CompleteServers,
        { provide: ImportProcesses, useFactory: () => new ImportProcesses() },
        ToolImports,
        VirtualMembers,
        ImportPreviews,
        Reimports,
        ExplainService,
        ProbeContexts,
        addressGuardProvider,
        ...connectionProviders,
        ...connectProviders,
      ],
    };
  }
}
