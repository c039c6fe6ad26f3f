import type { ReadableIdentityProvider } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { ApiPage } from '../../http/api-page.ts';
import { entityTag } from '../../http/entity-tag.ts';
import { type Page, readPageQuery } from '../../http/page.ts';
import { IdentityProviderInput, IdentityProviderOutput, IdentityProviderPage } from './identity-provider.dto.ts';
import { IdentityProviders } from './identity-providers.service.ts';

@ApiTags('identity providers')
@Controller('v1/identity-providers')
@Allow('auditor')
export class IdentityProvidersController {
  readonly #providers: IdentityProviders;

  constructor(providers: IdentityProviders) {
    this.#providers = providers;
  }

  @Get()
  @ApiOperation({ summary: 'List the identity providers that people log in at' })
  @ZodResponse({ status: 200, description: 'Identity providers, by name.', type: IdentityProviderPage })
  @ApiPage()
  listIdentityProviders(@Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableIdentityProvider>> {
    return this.#providers.list(readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Register an identity provider; its discovery document is read first' })
  @ApiBody({ type: IdentityProviderInput })
  @ZodResponse({ status: 201, description: 'The identity provider.', type: IdentityProviderOutput })
  async createIdentityProvider(@Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableIdentityProvider> {
    const provider = await this.#providers.create(body, actor);
    void reply.header('Location', `/v1/identity-providers/${provider.id}`);
    return tagged(reply, provider);
  }

  @Get(':provider')
  @ApiOperation({ summary: 'Read an identity provider, by name or id' })
  @ZodResponse({ status: 200, description: 'The identity provider.', type: IdentityProviderOutput })
  async readIdentityProvider(@Param('provider') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableIdentityProvider> {
    return tagged(reply, await this.#providers.read(idOrName));
  }

  @Put(':provider')
  @Allow('admin')
  @ApiOperation({ summary: 'Replace an identity provider; the client secret stays when it is left out' })
  @ApiBody({ type: IdentityProviderInput })
  @ZodResponse({ status: 200, description: 'The identity provider.', type: IdentityProviderOutput })
  async replaceIdentityProvider(
    @Param('provider') idOrName: string, @Body() body: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableIdentityProvider> {
    return tagged(reply, await this.#providers.replace(idOrName, body, ifMatch, actor));
  }

  @Patch(':provider')
  @Allow('admin')
  @ApiOperation({ summary: 'Change parts of an identity provider (JSON merge patch, RFC 7396)' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The identity provider.', type: IdentityProviderOutput })
  async patchIdentityProvider(
    @Param('provider') idOrName: string, @Body() patch: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableIdentityProvider> {
    return tagged(reply, await this.#providers.patch(idOrName, patch, ifMatch, actor));
  }

  @Delete(':provider')
  @Allow('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an identity provider: its people cannot log in any more, and their sessions are over' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteIdentityProvider(@Param('provider') idOrName: string, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#providers.delete(idOrName, ifMatch, actor);
  }
}

function tagged(reply: FastifyReply, provider: ReadableIdentityProvider): ReadableIdentityProvider {
  void reply.header('ETag', entityTag(provider));
  return provider;
}
