import type { ReadableServer } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, Caller, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { entityTag } from '../http/entity-tag.ts';
import { ApiPage } from '../http/api-page.ts';
import { readPageQuery } from '../http/page.ts';
import { type Principal, roleOf } from '../identity/principal.ts';
import { ServerInput, ServerOutput, ServerPage } from './server.dto.ts';
import type { ServerPage as PageOfServers } from './server-page.ts';
import { ServersService } from './servers.service.ts';

@ApiTags('servers')
@Controller('v1/workspaces/:workspace/servers')
@Allow('auditor')
export class ServersController {
  readonly #servers: ServersService;

  constructor(servers: ServersService) {
    this.#servers = servers;
  }

  @Get()
  @ApiOperation({ summary: 'List the servers of a workspace' })
  @ZodResponse({ status: 200, description: 'Servers, by name.', type: ServerPage })
  @ApiPage()
  listServers(@Param('workspace') workspace: string, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<PageOfServers<ReadableServer>> {
    return this.#servers.list(workspace, readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('editor')
  @ApiOperation({ summary: 'Register a server' })
  @ApiBody({ type: ServerInput })
  @ZodResponse({ status: 201, description: 'The server.', type: ServerOutput })
  async createServer(
    @Param('workspace') workspace: string, @Body() body: unknown, @Actor() actor: ChangeAuthor, @Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServer> {
    const server = await this.#servers.create(workspace, body, { ...actor, role: roleOf(caller) });
    void reply.header('Location', `/v1/workspaces/${server.workspace}/servers/${server.id}`);
    return tagged(reply, server);
  }

  @Get(':server')
  @ApiOperation({ summary: 'Read a server, by name or id' })
  @ZodResponse({ status: 200, description: 'The server.', type: ServerOutput })
  async readServer(
    @Param('workspace') workspace: string, @Param('server') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServer> {
    return tagged(reply, await this.#servers.read({ workspace, idOrName }));
  }

  @Put(':server')
  @Allow('editor')
  @ApiOperation({ summary: 'Replace a server; secrets that are left out stay as they are' })
  @ApiBody({ type: ServerInput })
  @ZodResponse({ status: 200, description: 'The server.', type: ServerOutput })
  async replaceServer(
    @Param('workspace') workspace: string, @Param('server') idOrName: string, @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServer> {
    return tagged(reply, await this.#servers.replace({ workspace, idOrName }, body, ifMatch, { ...actor, role: roleOf(caller) }));
  }

  @Patch(':server')
  @Allow('editor')
  @ApiOperation({ summary: 'Change parts of a server (JSON merge patch, RFC 7396); null clears a secret' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The server.', type: ServerOutput })
  async patchServer(
    @Param('workspace') workspace: string, @Param('server') idOrName: string, @Body() patch: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Caller() caller: Principal, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServer> {
    return tagged(reply, await this.#servers.patch({ workspace, idOrName }, patch, ifMatch, { ...actor, role: roleOf(caller) }));
  }

  @Delete(':server')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a server and its secrets' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteServer(
    @Param('workspace') workspace: string, @Param('server') idOrName: string,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
  ): Promise<void> {
    return this.#servers.delete({ workspace, idOrName }, ifMatch, actor);
  }
}

function tagged(reply: FastifyReply, server: ReadableServer): ReadableServer {
  void reply.header('ETag', entityTag(server));
  return server;
}
