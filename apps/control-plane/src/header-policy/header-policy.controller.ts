import type { ReadableHeaderPolicy } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Patch, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { entityTag } from '../http/entity-tag.ts';
import { readPageQuery } from '../http/page.ts';
import { HeaderPolicyInput, HeaderPolicyOutput, PassThroughPage } from './header-policy.dto.ts';
import { HeaderPolicyService } from './header-policy.service.ts';
import { type PassThroughPage as PageOfReport, PassThroughReport, reportPosition } from './pass-through-report.service.ts';

@ApiTags('header policy')
@Controller('v1/header-policy')
@Allow('auditor')
export class HeaderPolicyController {
  readonly #policy: HeaderPolicyService;
  readonly #report: PassThroughReport;

  constructor(policy: HeaderPolicyService, report: PassThroughReport) {
    this.#policy = policy;
    this.#report = report;
  }

  @Get()
  @ApiOperation({ summary: 'Read the global header policy, and what of it and the environment is in effect' })
  @ZodResponse({ status: 200, description: 'The policy; with revision 0 where no document is stored.', type: HeaderPolicyOutput })
  async readHeaderPolicy(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableHeaderPolicy> {
    return tagged(reply, await this.#policy.read());
  }

  @Put()
  @Allow('editor')
  @ApiOperation({ summary: 'Store or replace the global header policy' })
  @ApiBody({ type: HeaderPolicyInput })
  @ZodResponse({ status: 200, description: 'The policy.', type: HeaderPolicyOutput })
  async replaceHeaderPolicy(
    @Body() body: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableHeaderPolicy> {
    return tagged(reply, await this.#policy.replace(body, ifMatch, actor));
  }

  @Patch()
  @Allow('editor')
  @ApiOperation({ summary: 'Change parts of the global header policy (JSON merge patch, RFC 7396)' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The policy.', type: HeaderPolicyOutput })
  async patchHeaderPolicy(
    @Body() patch: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableHeaderPolicy> {
    return tagged(reply, await this.#policy.patch(patch, ifMatch, actor));
  }

  @Delete()
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Go back to no document: the environment alone counts' })
  @ApiNoContentResponse({ description: 'No document is stored.' })
  deleteHeaderPolicy(@Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#policy.delete(ifMatch, actor);
  }

  @Get('servers')
  @ApiOperation({ summary: 'List the servers of all workspaces that pass anything of a caller’s on, or let everyone in' })
  @ZodResponse({ status: 200, description: 'Servers, by workspace and name. A page may hold fewer than asked for, and yet not be the last.', type: PassThroughPage })
  @ApiPage()
  listPassThroughServers(@Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<PageOfReport> {
    return this.#report.list(readPageQuery(limit, cursor, reportPosition));
  }
}

function tagged(reply: FastifyReply, policy: ReadableHeaderPolicy): ReadableHeaderPolicy {
  void reply.header('ETag', entityTag(policy));
  return policy;
}
