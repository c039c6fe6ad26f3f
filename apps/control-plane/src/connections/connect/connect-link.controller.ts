import { GatewayError } from '@gatehouse/errors';
import type { Access } from '@gatehouse/gateway-config';
import { Controller, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { mayUse } from '../../agents-oauth/server-access.ts';
import { Database } from '../../database/database.ts';
import { Caller } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { ChangesNothing } from '../../idempotency/changes-nothing.ts';
import { isAtLeast } from '../../identity/person.ts';
import { type Principal, roleOf } from '../../identity/principal.ts';
import { findServer, type ServerRow } from '../../servers/servers.store.ts';
import { findWorkspace } from '../../workspaces/workspaces.store.ts';
import type { ConnectionAuth } from '../broker/find-subject.store.ts';
import { ConnectLinkOutput, type ReadableConnectLink } from '../connection.dto.ts';
import { ConnectLinks } from '../connect-links.service.ts';
import { presentLink } from '../present-connection.ts';
import { ownerOf } from './owner-of.ts';

/** Connecting before any agent asks for it. */
@ApiTags('connections')
@Controller('v1/workspaces/:workspace/servers/:server/connect-link')
@Allow('member')
export class ConnectLinkController {
  readonly #database: Database;
  readonly #links: ConnectLinks;

  constructor(database: Database, links: ConnectLinks) {
    this.#database = database;
    this.#links = links;
  }

  @Post()
  @ChangesNothing()
  @ApiOperation({ summary: 'Make a link that connects an account for a server: my own, or the organisation’s where its connection is shared' })
  @ZodResponse({ status: 201, description: 'The link. It works once, for ten minutes: for me only, or for an administrator where the connection is shared.', type: ConnectLinkOutput })
  async createConnectLink(@Param('workspace') workspace: string, @Param('server') server: string, @Caller() caller: Principal): Promise<ReadableConnectLink> {
    const { sql } = this.#database;
    const row = await this.#usable(workspace, server, caller);
    const auth = row.document['appAuth'] as ConnectionAuth;
    const owner = await ownerOf(sql, row, auth);
    if (!owner) throw new GatewayError('connection_misconfigured', { detail: `server ${row.id} names no app that is there` });
    return presentLink(await this.#links.connectLinkFor({ workspaceId: row.workspaceId, ...owner, serverId: row.id, scopes: [], ...holderOf(auth, caller) }));
  }

  /** To members, servers that they may not use are not there. */
  async #usable(workspace: string, reference: string, caller: Principal): Promise<ServerRow> {
    const { sql } = this.#database;
    const { id, access: workspaceAccess } = await findWorkspace(sql, workspace);
    const row = await findServer(sql, id, reference);
    const rules = { access: row.document['access'] as Access | undefined, workspaceAccess: workspaceAccess ?? undefined };
    const isSeen = isAtLeast(roleOf(caller), 'auditor') || (caller.kind === 'person' && mayUse(rules, caller.person));
    if (!isSeen) throw new GatewayError('server_not_found');
    if ((row.document['appAuth'] as ConnectionAuth).type !== 'oauth-authorization-code') {
      throw new GatewayError('validation_failed', { problems: [{ pointer: '', detail: 'this server uses no connections', code: 'no_connections' }] });
    }
    return row;
  }
}

/** @throws GatewayError forbidden: programs have no accounts of their own, and what is shared administrators connect */
function holderOf({ shared }: ConnectionAuth, caller: Principal): { personId?: string } {
  if (shared === true) {
    if (roleOf(caller) !== 'admin') throw new GatewayError('forbidden', { detail: 'the connection is shared' });
    return {};
  }
  if (caller.kind !== 'person') throw new GatewayError('forbidden', { detail: 'no person' });
  return { personId: caller.person.id };
}
