import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Database } from '../database/database.ts';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { type Page, pageOf, readPageQuery } from '../http/page.ts';
import { type ReadableWorkspace, WorkspaceInput, WorkspaceOutput, WorkspacePage } from './workspace-document.ts';
import { WorkspacesService } from './workspaces.service.ts';
import { findWorkspace, listWorkspaces, type WorkspaceRow } from './workspaces.store.ts';

@ApiTags('workspaces')
@Controller('v1/workspaces')
@Allow('auditor')
export class WorkspacesController {
  readonly #database: Database;
  readonly #workspaces: WorkspacesService;

  constructor(database: Database, workspaces: WorkspacesService) {
    this.#database = database;
    this.#workspaces = workspaces;
  }

  @Get()
  @ApiOperation({ summary: 'List the workspaces' })
  @ZodResponse({ status: 200, description: 'Workspaces, by name.', type: WorkspacePage })
  @ApiPage()
  async listWorkspaces(@Query('limit') limitText: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableWorkspace>> {
    const { after, limit } = readPageQuery(limitText, cursor);
    return pageOf(await listWorkspaces(this.#database.sql, after, limit + 1), limit, (row) => row.name, present);
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Make a workspace' })
  @ApiBody({ type: WorkspaceInput })
  @ZodResponse({ status: 201, description: 'The workspace.', type: WorkspaceOutput })
  async createWorkspace(@Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableWorkspace> {
    const row = await this.#workspaces.create(body, actor);
    void reply.header('Location', `/v1/workspaces/${row.id}`);
    return present(row);
  }

  @Get(':workspace')
  @ApiOperation({ summary: 'Read a workspace, by name or id' })
  @ZodResponse({ status: 200, description: 'The workspace.', type: WorkspaceOutput })
  async readWorkspace(@Param('workspace') workspace: string): Promise<ReadableWorkspace> {
    return present(await findWorkspace(this.#database.sql, workspace));
  }

  @Delete(':workspace')
  @Allow('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an empty workspace' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteWorkspace(@Param('workspace') workspace: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#workspaces.delete(workspace, actor);
  }
}

const present = ({ id, name, createdAt }: WorkspaceRow): ReadableWorkspace => ({ kind: 'Workspace', id, name, createdAt: createdAt.toISOString() });
