import { GatewayError } from '@gatehouse/errors';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ZodResponse } from 'nestjs-zod';
import { AgentGrants } from '../../agents-oauth/agent-grants.service.ts';
import { Actor, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { ApiPage } from '../../http/api-page.ts';
import { idPosition, type Page, readPageQuery } from '../../http/page.ts';
import type { IssuedLink } from '../local/login-links.service.ts';
import { presentGrant } from './present-user.ts';
import {
  BrowserSessionList, GrantList, type InvitedUser, InvitedUserOutput, LoginLinkOutput, NewUserInput, type ReadableGrant, type ReadableSession, type ReadableUser, UserChangeInput,
  UserOutput, UserPage,
} from './user.dto.ts';
import { type TaggedUser, Users } from './users.service.ts';

@ApiTags('users')
@Controller('v1/users')
@Allow('admin')
export class UsersController {
  readonly #users: Users;
  readonly #grants: AgentGrants;

  constructor(users: Users, grants: AgentGrants) {
    this.#users = users;
    this.#grants = grants;
  }

  @Get()
  @Allow('auditor')
  @ApiOperation({ summary: 'List everyone who logged in or was invited' })
  @ZodResponse({ status: 200, description: 'People, in the order in which they came.', type: UserPage })
  @ApiPage()
  listUsers(@Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<Page<ReadableUser>> {
    return this.#users.list(readPageQuery(limit, cursor, idPosition));
  }

  @Post()
  @ApiOperation({ summary: 'Make a local account; its owner sets the password by the link' })
  @ApiBody({ type: NewUserInput })
  @ZodResponse({ status: 201, description: 'The account, and the link, which is shown once.', type: InvitedUserOutput })
  async createUser(@Body() body: unknown, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply): Promise<InvitedUser> {
    const user = await this.#users.invite(body, actor);
    void reply.header('Location', `/v1/users/${user.id}`);
    return user;
  }

  @Get(':user')
  @Allow('auditor')
  @ApiOperation({ summary: 'Read a person' })
  @ZodResponse({ status: 200, description: 'The person.', type: UserOutput })
  async readUser(@Param('user') id: string, @Res({ passthrough: true }) reply: FastifyReply): Promise<ReadableUser> {
    return tagged(reply, await this.#users.read(id));
  }

  @Patch(':user')
  @ApiOperation({ summary: 'Disable a person, or give roles; who is disabled is logged out everywhere' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @ApiBody({ type: UserChangeInput })
  @ZodResponse({ status: 200, description: 'The person.', type: UserOutput })
  async patchUser(
    @Param('user') id: string, @Body() body: unknown, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor, @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ReadableUser> {
    return tagged(reply, await this.#users.change(id, body, ifMatch, actor));
  }

  @Delete(':user')
  @HttpCode(204)
  @ApiOperation({ summary: 'Delete a person: what they connected and allowed ends' })
  @ApiNoContentResponse({ description: 'Whoever logs in again is someone new.' })
  async deleteUser(@Param('user') id: string, @Headers('if-match') ifMatch: string | undefined, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#users.delete(id, ifMatch, actor);
  }

  @Post(':user/login-link')
  @ApiOperation({ summary: 'Make a one-time link by which the owner of a local account sets a new password' })
  @ZodResponse({ status: 201, description: 'The link, which is shown once.', type: LoginLinkOutput })
  createLoginLink(@Param('user') id: string, @Actor() actor: ChangeAuthor): Promise<IssuedLink> {
    return this.#users.issueLink(id, actor);
  }

  @Get(':user/sessions')
  @Allow('auditor')
  @ApiOperation({ summary: 'List the sessions of a person’s browsers' })
  @ZodResponse({ status: 200, description: 'Sessions, the newest first.', type: BrowserSessionList })
  async listUserSessions(@Param('user') id: string): Promise<{ items: ReadableSession[] }> {
    return { items: await this.#users.sessions(id) };
  }

  @Delete(':user/sessions')
  @HttpCode(204)
  @ApiOperation({ summary: 'Log a person out everywhere: browsers, and every agent they connected' })
  @ApiNoContentResponse({ description: 'They have to log in again.' })
  deleteUserSessions(@Param('user') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#users.logOut(id, actor);
  }

  @Delete(':user/sessions/:session')
  @HttpCode(204)
  @ApiOperation({ summary: 'End the session of one of a person’s browsers; agents go on' })
  @ApiNoContentResponse({ description: 'It is over.' })
  deleteUserSession(@Param('user') id: string, @Param('session') session: string, @Actor() actor: ChangeAuthor): Promise<void> {
    return this.#users.endSession(id, session, actor);
  }

  @Get(':user/grants')
  @Allow('auditor')
  @ApiOperation({ summary: 'List what a person allowed agents' })
  @ZodResponse({ status: 200, description: 'Grants, the newest first.', type: GrantList })
  async listUserGrants(@Param('user') id: string): Promise<{ items: ReadableGrant[] }> {
    const { user } = await this.#users.read(id);
    return { items: (await this.#grants.list(user.id)).map(presentGrant) };
  }

  @Delete(':user/grants/:grant')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take back what a person allowed an agent' })
  @ApiNoContentResponse({ description: 'The agent is logged out.' })
  async revokeUserGrant(@Param('user') id: string, @Param('grant') grant: string, @Actor() actor: ChangeAuthor): Promise<void> {
    const { user } = await this.#users.read(id);
    if (!(await this.#grants.revoke(user.id, grant, actor))) throw new GatewayError('not_found', { detail: 'grant' });
  }
}

function tagged(reply: FastifyReply, { user, etag }: TaggedUser): ReadableUser {
  void reply.header('ETag', etag);
  return user;
}
