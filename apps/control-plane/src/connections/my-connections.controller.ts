import { GatewayError } from '@gatehouse/errors';
import { Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, Caller, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import type { Page } from '../http/page.ts';
import { ChangesNothing } from '../idempotency/changes-nothing.ts';
import type { Principal } from '../identity/principal.ts';
import { ApiConnectionFilters } from './api-connection-filters.ts';
import { ConnectionOutput, ConnectionPage, ConnectLinkOutput, type ReadableConnection, type ReadableConnectLink } from './connection.dto.ts';
import { ManageConnections } from './manage-connections.service.ts';
import { readConnectionQuery } from './read-connection-query.ts';

@ApiTags('me')
@Controller('v1/me/connections')
@Allow('member')
export class MyConnectionsController {
  readonly #connections: ManageConnections;

  constructor(connections: ManageConnections) {
    this.#connections = connections;
  }

  @Get()
  @ApiOperation({ summary: 'List what I connected' })
  @ZodResponse({ status: 200, description: 'Connections, the oldest first.', type: ConnectionPage })
  @ApiPage()
  @ApiConnectionFilters()
  async listMyConnections(
    @Caller() caller: Principal, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown, @Query('app') app: unknown, @Query('state') state: unknown,
  ): Promise<Page<ReadableConnection>> {
    const { page, filter } = readConnectionQuery({ limit, cursor, app, state });
    return this.#connections.list(scopeOf(caller), page, filter);
  }

  @Get(':connection')
  @ApiOperation({ summary: 'Read one of my connections' })
  @ZodResponse({ status: 200, description: 'The connection, without its tokens.', type: ConnectionOutput })
  async readMyConnection(@Caller() caller: Principal, @Param('connection') id: string): Promise<ReadableConnection> {
    return this.#connections.read(scopeOf(caller), id);
  }

  @Delete(':connection')
  @HttpCode(204)
  @ApiOperation({ summary: 'Disconnect: the tokens are deleted, data planes stop using them, and the provider is told' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  async deleteMyConnection(@Caller() caller: Principal, @Param('connection') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#connections.disconnect(scopeOf(caller), id, actor);
  }

  @Post(':connection/reconnect-link')
  @ChangesNothing()
  @ApiOperation({ summary: 'Make a link with which I can connect again' })
  @ZodResponse({ status: 201, description: 'The link. It works for me only, once, for ten minutes.', type: ConnectLinkOutput })
  async createMyReconnectLink(@Caller() caller: Principal, @Param('connection') id: string): Promise<ReadableConnectLink> {
    return this.#connections.reconnectLink(scopeOf(caller), id);
  }
}

/** @throws GatewayError forbidden for tokens of programs, which are nobody */
function scopeOf(caller: Principal): { personId: string } {
  if (caller.kind !== 'person') throw new GatewayError('forbidden', { detail: 'no person' });
  return { personId: caller.person.id };
}
