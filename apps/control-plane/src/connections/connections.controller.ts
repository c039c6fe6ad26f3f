import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Database } from '../database/database.ts';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import type { Page } from '../http/page.ts';
import { ChangesNothing } from '../idempotency/changes-nothing.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { ApiConnectionFilters } from './api-connection-filters.ts';
import { ConnectionOutput, ConnectionPage, ConnectLinkOutput, type ReadableConnection, type ReadableConnectLink } from './connection.dto.ts';
import { ManageConnections } from './manage-connections.service.ts';
import { readConnectionQuery } from './read-connection-query.ts';

@ApiTags('connections')
@Controller('v1/workspaces/:workspace/connections')
@Allow('auditor')
export class ConnectionsController {
  readonly #database: Database;
  readonly #connections: ManageConnections;

  constructor(database: Database, connections: ManageConnections) {
    this.#database = database;
    this.#connections = connections;
  }

  @Get()
  @ApiOperation({ summary: 'List the connections of a workspace' })
  @ZodResponse({ status: 200, description: 'Connections, the oldest first.', type: ConnectionPage })
  @ApiPage()
  @ApiConnectionFilters()
  @ApiQuery({ name: 'user', required: false, schema: { type: 'string' }, description: 'Id or e-mail address of the person.' })
  async listConnections(
    @Param('workspace') workspace: string, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown,
    @Query('app') app: unknown, @Query('state') state: unknown, @Query('user') user: unknown,
  ): Promise<Page<ReadableConnection>> {
    const { page, filter } = readConnectionQuery({ limit, cursor, app, state, user });
    return this.#connections.list(await this.#scope(workspace), page, filter);
  }

  @Get(':connection')
  @ApiOperation({ summary: 'Read a connection' })
  @ZodResponse({ status: 200, description: 'The connection, without its tokens.', type: ConnectionOutput })
  async readConnection(@Param('workspace') workspace: string, @Param('connection') id: string): Promise<ReadableConnection> {
    return this.#connections.read(await this.#scope(workspace), id);
  }

  @Delete(':connection')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Disconnect: the tokens are deleted, data planes stop using them, and the provider is told' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  async deleteConnection(@Param('workspace') workspace: string, @Param('connection') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#connections.disconnect(await this.#scope(workspace), id, actor);
  }

  @Post(':connection/reconnect-link')
  @ChangesNothing()
  @Allow('editor')
  @ApiOperation({ summary: 'Make a link with which the person of a connection can connect again' })
  @ZodResponse({ status: 201, description: 'The link. It works for that person only, once, for ten minutes.', type: ConnectLinkOutput })
  async createReconnectLink(@Param('workspace') workspace: string, @Param('connection') id: string): Promise<ReadableConnectLink> {
    return this.#connections.reconnectLink(await this.#scope(workspace), id);
  }

  async #scope(workspace: string): Promise<{ workspaceId: string }> {
    return { workspaceId: (await findWorkspace(this.#database.sql, workspace)).id };
  }
}
