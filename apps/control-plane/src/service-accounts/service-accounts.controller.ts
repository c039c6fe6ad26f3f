import type { ReadableServiceAccount } from '@gatehouse/gateway-config';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiBody, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { Database } from '../database/database.ts';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { entityTag, requireMatch } from '../http/entity-tag.ts';
import { type Page, pageOf, readPageQuery } from '../http/page.ts';
import { findWorkspace } from '../workspaces/workspaces.store.ts';
import { IssuedServiceAccountOutput, ServiceAccountInput, ServiceAccountOutput, ServiceAccountPage } from './service-account.dto.ts';
import { type Issued, ServiceAccountsService } from './service-accounts.service.ts';
import { findServiceAccount, listServiceAccounts, type ServiceAccountRow } from './service-accounts.store.ts';

@ApiTags('service accounts')
@Controller('v1/workspaces/:workspace/service-accounts')
@Allow('auditor')
export class ServiceAccountsController {
  readonly #database: Database;
  readonly #accounts: ServiceAccountsService;

  constructor(database: Database, accounts: ServiceAccountsService) {
    this.#database = database;
    this.#accounts = accounts;
  }

  @Get()
  @ApiOperation({ summary: 'List the service accounts of a workspace' })
  @ZodResponse({ status: 200, description: 'Service accounts, by name.', type: ServiceAccountPage })
  @ApiPage()
  async listServiceAccounts(
    @Param('workspace') workspace: string, @Query('limit') limitText: unknown, @Query('cursor') cursor: unknown,
  ): Promise<Page<ReadableServiceAccount>> {
    const { after, limit } = readPageQuery(limitText, cursor);
    const { id } = await findWorkspace(this.#database.sql, workspace);
    return pageOf(await listServiceAccounts(this.#database.sql, id, after, limit + 1), limit, (row) => row.name, present);
  }

  @Post()
  @Allow('editor')
  @ApiOperation({ summary: 'Make a service account; its key is shown this once' })
  @ApiBody({ type: ServiceAccountInput })
  @ZodResponse({ status: 201, description: 'The account and its key.', type: IssuedServiceAccountOutput })
  async createServiceAccount(
    @Param('workspace') workspace: string, @Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const issued = await this.#accounts.create(workspace, body, actor);
    void reply.header('Location', `/v1/workspaces/${issued.row.workspace}/service-accounts/${issued.row.id}`);
    return presentIssued(reply, issued);
  }

  @Get(':account')
  @ApiOperation({ summary: 'Read a service account, by name or id' })
  @ZodResponse({ status: 200, description: 'The account.', type: ServiceAccountOutput })
  async readServiceAccount(
    @Param('workspace') workspace: string, @Param('account') idOrName: string, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServiceAccount> {
    const { id } = await findWorkspace(this.#database.sql, workspace);
    return tagged(reply, await findServiceAccount(this.#database.sql, id, idOrName));
  }

  @Put(':account')
  @Allow('editor')
  @ApiOperation({ summary: 'Replace the groups of a service account' })
  @ApiBody({ type: ServiceAccountInput })
  @ZodResponse({ status: 200, description: 'The account.', type: ServiceAccountOutput })
  async replaceServiceAccount(
    @Param('workspace') workspace: string, @Param('account') idOrName: string, @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableServiceAccount> {
    const matches = (row: ServiceAccountRow): void => requireMatch(ifMatch, row);
    return tagged(reply, await this.#accounts.replace({ workspace, idOrName }, body, matches, actor));
  }

  @Delete(':account')
  @Allow('editor')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a service account; its key is invalid at once' })
  @ApiNoContentResponse({ description: 'It is gone.' })
  deleteServiceAccount(@Param('workspace') workspace: string, @Param('account') idOrName: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#accounts.delete({ workspace, idOrName }, actor);
  }

  @Post(':account/rotate-key')
  @Allow('editor')
  @ApiOperation({ summary: 'Make a new key, shown this once; the old one is invalid at once' })
  @ZodResponse({ status: 200, description: 'The account and its new key.', type: IssuedServiceAccountOutput })
  async rotateServiceAccountKey(
    @Param('workspace') workspace: string, @Param('account') idOrName: string, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return presentIssued(reply, await this.#accounts.rotateKey({ workspace, idOrName }, actor));
  }
}

function present({ id, workspace, name, groups, revision, createdAt, updatedAt }: ServiceAccountRow): ReadableServiceAccount {
  return { kind: 'ServiceAccount', id, workspace, name, groups: [...groups], revision, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}

function tagged(reply: FastifyReply, row: ServiceAccountRow): ReadableServiceAccount {
  void reply.header('ETag', entityTag(row));
  return present(row);
}

/** The one place where a key is revealed. */
const presentIssued = (reply: FastifyReply, { row, key }: Issued) => ({ ...tagged(reply, row), key: key.reveal() });
