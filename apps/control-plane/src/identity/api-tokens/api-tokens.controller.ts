import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { ApiPage } from '../../http/api-page.ts';
import { type Page, readPageQuery } from '../../http/page.ts';
import { ApiTokenInput, ApiTokenPage, type IssuedApiToken, IssuedApiTokenOutput, type ReadableApiToken } from './api-token.dto.ts';
import { ApiTokens } from './api-tokens.service.ts';

@ApiTags('API tokens')
@Controller('v1/api-tokens')
export class ApiTokensController {
  readonly #tokens: ApiTokens;

  constructor(tokens: ApiTokens) {
    this.#tokens = tokens;
  }

  @Get()
  @Allow('auditor')
  @ApiOperation({ summary: 'List the API tokens' })
  @ZodResponse({ status: 200, description: 'API tokens, by name.', type: ApiTokenPage })
  @ApiPage()
  listApiTokens(@Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableApiToken>> {
    return this.#tokens.list(readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Make an API token; it is shown once' })
  @ApiBody({ type: ApiTokenInput })
  @ZodResponse({ status: 201, description: 'The token.', type: IssuedApiTokenOutput })
  createApiToken(@Body() body: unknown, @Actor() actor: ChangeAuthor): Promise<IssuedApiToken> {
    return this.#tokens.issue(body, actor);
  }

  @Delete(':token')
  @Allow('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revoke an API token, by name or id' })
  @ApiNoContentResponse({ description: 'It is of no more use.' })
  revokeApiToken(@Param('token') idOrName: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#tokens.revoke(idOrName, actor);
  }
}
