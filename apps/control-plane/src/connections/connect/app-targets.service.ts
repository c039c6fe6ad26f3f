import { GatewayError } from '@gatehouse/errors';
import { Inject, Injectable } from '@nestjs/common';
import { redirectUriOf } from '../../apps/present-app.ts';
import { Apps } from '../../apps/apps.service.ts';
import { Database } from '../../database/database.ts';
import type { Sql } from '../../database/sql.ts';
import { type ControlPlaneSettings, settingsToken } from '../../environment.ts';
import { AppClients } from '../app-clients.service.ts';
import type { ConnectionOwner } from '../connection.ts';
import { clientDigest } from './client-digest.ts';
import { ConnectRefusal } from './connect-refusal.ts';
import type { ConnectTarget, TargetSource } from './connect-target.ts';

/** Connecting an app that an admin registered. */
@Injectable()
export class AppTargets implements TargetSource {
  readonly #database: Database;
  readonly #apps: Apps;
  readonly #clients: AppClients;
  readonly #controlPlaneUrl: string;

  constructor(database: Database, apps: Apps, clients: AppClients, @Inject(settingsToken) settings: ControlPlaneSettings) {
    this.#database = database;
    this.#apps = apps;
    this.#clients = clients;
    this.#controlPlaneUrl = settings.CONTROL_PLANE_URL;
  }

  preview(ownerId: string): Promise<ConnectTarget> {
    return this.begin(ownerId);
  }

  async begin(ownerId: string): Promise<ConnectTarget> {
    const { sql } = this.#database;
    const [row] = await sql<{ workspaceId: string; workspace: string }>(
      'select a.workspace_id as "workspaceId", w.name as workspace from apps a join workspaces w on w.id = a.workspace_id where a.id = $1',
      [ownerId],
    );
    if (!row) throw new ConnectRefusal('owner_gone');
    const { workspaceId, workspace } = row;
    try {
      const found = await this.#apps.resolve(sql, workspaceId, ownerId);
      if (!found) throw new ConnectRefusal('owner_gone');
      const { app, name, title } = found;
      return {
        owner: { kind: 'app', id: ownerId, workspaceId }, workspace, name, title, app,
        authorizationUrl: app.authorizationUrl,
        tokenUrl: app.tokenUrl,
        issuer: app.issuer,
        scopes: app.scopes,
        client: this.#clients.from(found),
        redirectUri: redirectUriOf(this.#controlPlaneUrl, { workspace, name }),
        // Nothing says so of an app: its issuer is compared where the answer names one, and its redirect URI is its own.
        isIssRequired: false,
      };
    } catch (cause) {
      if (!(cause instanceof GatewayError) || cause.code !== 'connection_misconfigured') throw cause;
      throw new ConnectRefusal('misconfigured', { ...(cause.detail !== undefined && { detail: cause.detail }), cause });
    }
  }

  resume(ownerId: string): Promise<ConnectTarget> {
    return this.begin(ownerId);
  }

  /** Which client an app is now, and stays until the end of the transaction; undefined where it is gone. */
  async lockedDigest(sql: Sql, { id, workspaceId }: ConnectionOwner): Promise<string | undefined> {
    if ((await sql('select from apps where id = $1 for key share', [id])).length === 0) return undefined;
    const found = await this.#apps.resolve(sql, workspaceId, id);
    return found && clientDigest(found.app);
  }
}
