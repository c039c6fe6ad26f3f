import type { ReadableApp } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { entityTag } from '../http/entity-tag.ts';
import { ApiPage } from '../http/api-page.ts';
import { type Page, readPageQuery } from '../http/page.ts';
import { AppInput, AppOutput, AppPage } from './app.dto.ts';
import { Apps } from './apps.service.ts';

@ApiTags('apps')
@Controller('v1/workspaces/:workspace/apps')
@Allow('auditor')
export class AppsController {
  readonly #apps: Apps;

  constructor(apps: Apps) {
    this.#apps = apps;
  }

  @Get()
  @ApiOperation({ summary: 'List the apps of a workspace' })
  @ZodResponse({ status: 200, description: 'Apps, by name.', type: AppPage })
  @ApiPage()
  listApps(@Param('workspace') workspace: string, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableApp>> {
    return this.#apps.list(workspace, readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('editor')
  @ApiOperation({ summary: 'Register an app: an OAuth client that was registered at a provider' })
  @ApiBody({ type: AppInput })
  @ZodResponse({ status: 201, description: 'The app.', type: AppOutput })
  async createApp(
    @Param('workspace') workspace: string, @Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableApp> {
    const app = await this.#apps.create(workspace, body, actor);
    void reply.header('Location', `/v1/workspaces/${app.workspace}/apps/${app.id}`);
    return tagged(reply, app);
  }

  @Get(':app')
  @ApiOperation({ summary: 'Read an app, by name or id' })
  @ZodResponse({ status: 200, description: 'The app.', type: AppOutput })
  async readApp(
    @Param('workspace') workspace: string, @Param('app') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableApp> {
    return tagged(reply, await this.#apps.read({ workspace, idOrName }));
  }

  @Put(':app')
  @Allow('editor')
  @ApiOperation({ summary: 'Replace an app; its secret stays when it is left out' })
  @ApiBody({ type: AppInput })
  @ZodResponse({ status: 200, description: 'The app.', type: AppOutput })
  async replaceApp(
    @Param('workspace') workspace: string, @Param('app') idOrName: string, @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableApp> {
    return tagged(reply, await this.#apps.replace({ workspace, idOrName }, body, ifMatch, actor));
  }

  @Patch(':app')
  @Allow('editor')
  @ApiOperation({ summary: 'Change parts of an app (JSON merge patch, RFC 7396); null clears the secret' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The app.', type: AppOutput })
  async patchApp(
    @Param('workspace') workspace: string, @Param('app') idOrName: string, @Body() patch: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableApp> {
    return tagged(reply, await this.#apps.patch({ workspace, idOrName }, patch, ifMatch, actor));
  }

  @Delete(':app')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an app that no server refers to; its connections end' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteApp(
    @Param('workspace') workspace: string, @Param('app') idOrName: string,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
  ): Promise<void> {
    return this.#apps.delete({ workspace, idOrName }, ifMatch, actor);
  }
}

function tagged(reply: FastifyReply, app: ReadableApp): ReadableApp {
  void reply.header('ETag', entityTag(app));
  return app;
}
