import { Body, Controller, Get, Headers, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { entityTag } from '../../http/entity-tag.ts';
import { ChangesNothing } from '../../idempotency/changes-nothing.ts';
import { ImportPreviews } from './import-preview.service.ts';
import { Reimports } from './reimport.service.ts';
import { type ImportPreview, ImportPreviewInput, ImportPreviewOutput, ReimportInputDto, type SourceOfTools, SourceOfToolsOutput, type ToolsDiff, ToolsDiffOutput } from './tool-import.dto.ts';

/** Descriptions of APIs, and the tools that become of them. */
@ApiTags('servers')
@Controller('v1/workspaces/:workspace')
@Allow('auditor')
export class ToolImportsController {
  readonly #previews: ImportPreviews;
  readonly #reimports: Reimports;

  constructor(previews: ImportPreviews, reimports: Reimports) {
    this.#previews = previews;
    this.#reimports = reimports;
  }

  @Post('import-preview')
  @Allow('editor')
  @HttpCode(200)
  @ChangesNothing()
  @ApiOperation({ summary: 'Say which tools an OpenAPI document or a GraphQL schema would become; nothing is stored' })
  @ApiBody({ type: ImportPreviewInput })
  @ZodResponse({ status: 200, description: 'The tools, what is left out and why, and a server to save.', type: ImportPreviewOutput })
  previewImport(@Param('workspace') workspace: string, @Body() body: unknown): Promise<ImportPreview> {
    return this.#previews.preview(workspace, body);
  }

  @Post('servers/:server/reimport')
  @Allow('editor')
  @HttpCode(200)
  @ApiOperation({ summary: 'Read the tools of an API server again from where they came from: say what is different, or take it over' })
  @ApiBody({ type: ReimportInputDto })
  @ZodResponse({ status: 200, description: 'What is different. With `apply` it is stored.', type: ToolsDiffOutput })
  async reimportTools(
    @Param('workspace') workspace: string, @Param('server') idOrName: string, @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ToolsDiff> {
    const { diff, row } = await this.#reimports.reimport({ workspace, idOrName }, body, ifMatch, actor);
    void reply.header('ETag', entityTag(row));
    return diff;
  }

  @Get('servers/:server/tools-source')
  @ApiOperation({ summary: 'Read the OpenAPI document or the GraphQL schema that the document of an API server was given with' })
  @ZodResponse({ status: 200, description: 'It, as it was given.', type: SourceOfToolsOutput })
  readToolsSource(@Param('workspace') workspace: string, @Param('server') idOrName: string): Promise<SourceOfTools> {
    return this.#reimports.source({ workspace, idOrName });
  }
}
