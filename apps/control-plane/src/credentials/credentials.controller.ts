import type { ReadableCredential } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { entityTag } from '../http/entity-tag.ts';
import { idPosition, type Page, readPageQuery } from '../http/page.ts';
import { CredentialInput, CredentialOutput, CredentialPage, CredentialUserPage, type ReadableCredentialUser } from './credential.dto.ts';
import { Credentials } from './credentials.service.ts';
import { UserCredentials } from './user-credentials.service.ts';

@ApiTags('credentials')
@Controller('v1/workspaces/:workspace/credentials')
@Allow('auditor')
export class CredentialsController {
  readonly #credentials: Credentials;
  readonly #users: UserCredentials;

  constructor(credentials: Credentials, users: UserCredentials) {
    this.#credentials = credentials;
    this.#users = users;
  }

  @Get()
  @ApiOperation({ summary: 'List the credentials of a workspace' })
  @ZodResponse({ status: 200, description: 'Credentials, by name, without their values.', type: CredentialPage })
  @ApiPage()
  listCredentials(@Param('workspace') workspace: string, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableCredential>> {
    return this.#credentials.list(workspace, readPageQuery(limit, cursor));
  }

  @Post()
  @Allow('editor')
  @ApiOperation({ summary: 'Keep a credential that servers name: one value for the workspace, or one of each person' })
  @ApiBody({ type: CredentialInput })
  @ZodResponse({ status: 201, description: 'The credential.', type: CredentialOutput })
  async createCredential(
    @Param('workspace') workspace: string, @Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableCredential> {
    const credential = await this.#credentials.create(workspace, body, actor);
    void reply.header('Location', `/v1/workspaces/${credential.workspace}/credentials/${credential.id}`);
    return tagged(reply, credential);
  }

  @Get(':credential')
  @ApiOperation({ summary: 'Read a credential, by name or id' })
  @ZodResponse({ status: 200, description: 'The credential, without its value.', type: CredentialOutput })
  async readCredential(
    @Param('workspace') workspace: string, @Param('credential') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableCredential> {
    return tagged(reply, await this.#credentials.read({ workspace, idOrName }));
  }

  @Put(':credential')
  @Allow('editor')
  @ApiOperation({ summary: 'Replace a credential; its value stays when it is left out' })
  @ApiBody({ type: CredentialInput })
  @ZodResponse({ status: 200, description: 'The credential.', type: CredentialOutput })
  async replaceCredential(
    @Param('workspace') workspace: string, @Param('credential') idOrName: string, @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableCredential> {
    return tagged(reply, await this.#credentials.replace({ workspace, idOrName }, body, ifMatch, actor));
  }

  @Patch(':credential')
  @Allow('editor')
  @ApiOperation({ summary: 'Change parts of a credential (JSON merge patch, RFC 7396); null clears its value' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ schema: { type: 'object', additionalProperties: true } })
  @ZodResponse({ status: 200, description: 'The credential.', type: CredentialOutput })
  async patchCredential(
    @Param('workspace') workspace: string, @Param('credential') idOrName: string, @Body() patch: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableCredential> {
    return tagged(reply, await this.#credentials.patch({ workspace, idOrName }, patch, ifMatch, actor));
  }

  @Delete(':credential')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a credential that no server names, with what people entered' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteCredential(
    @Param('workspace') workspace: string, @Param('credential') idOrName: string, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor,
  ): Promise<void> {
    return this.#credentials.delete({ workspace, idOrName }, ifMatch, actor);
  }

  @Get(':credential/users')
  @ApiOperation({ summary: 'List who has a value of their own' })
  @ZodResponse({ status: 200, description: 'People, never their values.', type: CredentialUserPage })
  @ApiPage()
  listCredentialUsers(
    @Param('workspace') workspace: string, @Param('credential') idOrName: string, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown,
  ): Promise<Page<ReadableCredentialUser>> {
    return this.#users.users({ workspace, idOrName }, readPageQuery(limit, cursor, idPosition));
  }

  @Delete(':credential/users/:user')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete the value that a person has entered; data planes stop using it' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteCredentialUser(@Param('workspace') workspace: string, @Param('credential') idOrName: string, @Param('user') user: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#users.removeOf({ workspace, idOrName }, user, actor);
  }
}

function tagged(reply: FastifyReply, credential: ReadableCredential): ReadableCredential {
  void reply.header('ETag', entityTag(credential));
  return credential;
}
