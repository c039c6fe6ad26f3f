import { GatewayError } from '@gatehouse/errors';
import { credentialValue } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, Caller, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { idPosition, type Page, readPageQuery } from '../http/page.ts';
import { parseDocument } from '../http/parse-document.ts';
import type { Person } from '../identity/person.ts';
import type { Principal } from '../identity/principal.ts';
import { CredentialValueInput, type MyCredential, MyCredentialOutput, MyCredentialPage } from './credential.dto.ts';
import { UserCredentials } from './user-credentials.service.ts';

@ApiTags('me')
@Controller('v1/me/credentials')
@Allow('member')
export class MyCredentialsController {
  readonly #credentials: UserCredentials;

  constructor(credentials: UserCredentials) {
    this.#credentials = credentials;
  }

  @Get()
  @ApiOperation({ summary: 'List the credentials that I may have a value of' })
  @ZodResponse({ status: 200, description: 'Credentials, the oldest first, and whether I have a value of each.', type: MyCredentialPage })
  @ApiPage()
  async listMyCredentials(@Caller() caller: Principal, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<MyCredential>> {
    return this.#credentials.list(personOf(caller), readPageQuery(limit, cursor, idPosition));
  }

  @Put(':credential')
  @ApiOperation({ summary: 'Enter my value of a credential; one that I had is forgotten' })
  @ApiBody({ type: CredentialValueInput })
  @ZodResponse({ status: 200, description: 'The credential, without the value.', type: MyCredentialOutput })
  async putMyCredential(@Caller() caller: Principal, @Param('credential') id: string, @Body() body: unknown, @Actor() actor: ChangeAuthor): Promise<MyCredential> {
    const person = personOf(caller);
    const { value } = parseDocument(credentialValue, body);
    return this.#credentials.put(person, id, value, actor);
  }

  @Delete(':credential')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete my value of a credential; data planes stop using it' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  async deleteMyCredential(@Caller() caller: Principal, @Param('credential') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#credentials.remove(personOf(caller), id, actor);
  }
}

/** @throws GatewayError forbidden for tokens of programs, which are nobody */
function personOf(caller: Principal): Person {
  if (caller.kind !== 'person') throw new GatewayError('forbidden', { detail: 'no person' });
  return caller.person;
}
