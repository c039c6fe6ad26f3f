import { GatewayError } from '@gatehouse/errors';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { type Page, queryText, readPageQuery } from '../http/page.ts';
import { OAuthClientInput, OAuthClientPage, type ReadableOAuthClient, type RegisteredOAuthClient, RegisteredOAuthClientOutput } from './oauth-client.dto.ts';
import { OAuthClients } from './oauth-clients.service.ts';
import type { Registration } from './oauth-clients.store.ts';

/** What cursors hold: the hash of the last client's id. */
const hashPosition = /^[\w-]{43}$/;

@ApiTags('OAuth clients')
@Controller('v1/oauth-clients')
export class OAuthClientsController {
  readonly #clients: OAuthClients;

  constructor(clients: OAuthClients) {
    this.#clients = clients;
  }

  @Get()
  @Allow('auditor')
  @ApiOperation({ summary: 'List the applications that are registered here' })
  @ZodResponse({ status: 200, description: 'Clients, in no particular order. Published ones (client ID metadata documents) are not registered.', type: OAuthClientPage })
  @ApiQuery({ name: 'registration', required: false, schema: { type: 'string', enum: ['administrator', 'self'] } })
  @ApiPage()
  listOAuthClients(@Query('registration') registration: unknown, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableOAuthClient>> {
    return this.#clients.list(registrationOf(registration), readPageQuery(limit, cursor, hashPosition));
  }

  @Post()
  @Allow('admin')
  @ApiOperation({ summary: 'Register an application; its secret is shown once' })
  @ApiBody({ type: OAuthClientInput })
  @ZodResponse({ status: 201, description: 'The client.', type: RegisteredOAuthClientOutput })
  createOAuthClient(@Body() body: unknown, @Actor() actor: ChangeAuthor): Promise<RegisteredOAuthClient> {
    return this.#clients.register(body, actor);
  }

  @Delete(':client')
  @Allow('admin')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete an application, also one that registered itself' })
  @ApiNoContentResponse({ description: 'Everybody is logged out of it.' })
  deleteOAuthClient(@Param('client') clientId: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#clients.delete(clientId, actor);
  }
}

function registrationOf(sent: unknown): Registration | undefined {
  const text = queryText('registration', sent);
  if (text === undefined || text === 'administrator' || text === 'self') return text;
  throw new GatewayError('invalid_request', { problems: [{ pointer: '/registration', detail: 'must be administrator or self', code: 'invalid_value' }] });
}
