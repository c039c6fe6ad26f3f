import type { ReadableWorkspace } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { entityTag } from '../http/entity-tag.ts';
import { type Page, readPageQuery } from '../http/page.ts';
import { WorkspaceInput, WorkspaceOutput, WorkspacePage } from './workspace-document.ts';
import { WorkspacesService } from './workspaces.service.ts';

@ApiTags('workspaces')
@Controller('v1/workspaces')
@Allow('auditor')
export class WorkspacesController {
  readonly #workspaces: WorkspacesService;

  constructor(workspaces: WorkspacesService) {
    this.#workspaces = workspaces;
  }

  @Get()
  @ApiOperation({ summary: 'List the workspaces' })
  @ZodResponse({ status: 200, description: 'Workspaces, by name.', type: WorkspacePage })
  @ApiPage()
  listWorkspaces(@Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableWorkspace>> {
    return this.#workspaces.list(readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Make a workspace' })
  @ApiBody({ type: WorkspaceInput })
  @ZodResponse({ status: 201, description: 'The workspace.', type: WorkspaceOutput })
  async createWorkspace(@Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableWorkspace> {
    const workspace = await this.#workspaces.create(body, actor);
    void reply.header('Location', `/v1/workspaces/${workspace.id}`);
    return tagged(reply, workspace);
  }

  @Get(':workspace')
  @ApiOperation({ summary: 'Read a workspace, by name or id' })
  @ZodResponse({ status: 200, description: 'The workspace.', type: WorkspaceOutput })
  async readWorkspace(@Param('workspace') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableWorkspace> {
    return tagged(reply, await this.#workspaces.read(idOrName));
  }

  @Put(':workspace')
  @Allow('admin')
  @ApiOperation({ summary: 'Replace who belongs to a workspace' })
  @ApiBody({ type: WorkspaceInput })
  @ZodResponse({ status: 200, description: 'The workspace.', type: WorkspaceOutput })
  async replaceWorkspace(
    @Param('workspace') idOrName: string, @Body() body: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableWorkspace> {
    return tagged(reply, await this.#workspaces.replace(idOrName, body, ifMatch, actor));
  }

  @Patch(':workspace')
  @Allow('admin')
  @ApiOperation({ summary: 'Change who belongs to a workspace (JSON merge patch, RFC 7396)' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The workspace.', type: WorkspaceOutput })
  async patchWorkspace(
    @Param('workspace') idOrName: string, @Body() patch: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableWorkspace> {
    return tagged(reply, await this.#workspaces.patch(idOrName, patch, ifMatch, actor));
  }

  @Delete(':workspace')
  @Allow('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an empty workspace' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteWorkspace(@Param('workspace') idOrName: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#workspaces.delete(idOrName, actor);
  }
}

function tagged(reply: FastifyReply, workspace: ReadableWorkspace): ReadableWorkspace {
  void reply.header('ETag', entityTag(workspace));
  return workspace;
}
