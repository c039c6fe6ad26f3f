import { GatewayError } from '@gatehouse/errors';
import { Controller, Delete, Get, HttpCode, Param } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { AgentGrants } from '../../agents-oauth/agent-grants.service.ts';
import { Database } from '../../database/database.ts';
import { Actor, Caller, type ChangeAuthor } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import { listSessions } from '../browser-sessions.store.ts';
import { endAllSessions, endSession } from '../end-sessions.ts';
import type { Person } from '../person.ts';
import { type Principal, roleOf } from '../principal.ts';
import { presentGrant, presentSession } from '../users/present-user.ts';
import { BrowserSessionList, GrantList, type ReadableGrant, type ReadableSession } from '../users/user.dto.ts';
import { type Me, MeOutput } from './me.dto.ts';

/** What everyone may do with what is their own. */
@ApiTags('me')
@Controller('v1/me')
@Allow('member')
export class MeController {
  readonly #database: Database;
  readonly #grants: AgentGrants;

  constructor(database: Database, grants: AgentGrants) {
    this.#database = database;
    this.#grants = grants;
  }

  @Get()
  @ApiOperation({ summary: 'Who am I, and what may I do?' })
  @ZodResponse({ status: 200, description: 'Whoever sends the request.', type: MeOutput })
  readMe(@Caller() caller: Principal): Me {
    const role = roleOf(caller);
    if (caller.kind === 'admin-token') return { kind: caller.kind, role };
    if (caller.kind === 'api-token') return { kind: caller.kind, role, id: caller.id, name: caller.name };
    const { id, name, email, provider, groups, roles } = caller.person;
    return { kind: 'person', role, id, name, provider, groups, roles: [...roles], ...(email !== undefined && { email }), ...(caller.sessionId !== undefined && { sessionId: caller.sessionId }) };
  }

  @Get('sessions')
  @ApiOperation({ summary: 'List the sessions of my browsers' })
  @ZodResponse({ status: 200, description: 'Sessions, the newest first.', type: BrowserSessionList })
  async listMySessions(@Caller() caller: Principal): Promise<{ items: ReadableSession[] }> {
    const rows = await listSessions(this.#database.sql, personOf(caller).id);
    const current = caller.kind === 'person' ? caller.sessionId : undefined;
    return { items: rows.map((row) => presentSession(row, current ?? '')) };
  }

  @Delete('sessions')
  @HttpCode(204)
  @ApiOperation({ summary: 'End all sessions of my browsers, this one too' })
  @ApiNoContentResponse({ description: 'I have to log in again. Agents go on.' })
  async deleteMySessions(@Caller() caller: Principal, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction((sql) => endAllSessions(sql, personOf(caller), actor));
  }

  @Delete('sessions/:session')
  @HttpCode(204)
  @ApiOperation({ summary: 'End a session of one of my browsers' })
  @ApiNoContentResponse({ description: 'It is over.' })
  async deleteMySession(@Caller() caller: Principal, @Param('session') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#database.transaction((sql) => endSession(sql, personOf(caller), id, actor));
  }

  @Get('grants')
  @ApiOperation({ summary: 'List what I allowed agents' })
  @ZodResponse({ status: 200, description: 'Grants, the newest first.', type: GrantList })
  async listMyGrants(@Caller() caller: Principal): Promise<{ items: ReadableGrant[] }> {
    return { items: (await this.#grants.list(personOf(caller).id)).map(presentGrant) };
  }

  @Delete('grants')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take back everything that I allowed agents' })
  @ApiNoContentResponse({ description: 'Every agent is logged out.' })
  async revokeMyGrants(@Caller() caller: Principal, @Actor() actor: ChangeAuthor): Promise<void> {
    await this.#grants.revokeAll(personOf(caller).id, actor);
  }

  @Delete('grants/:grant')
  @HttpCode(204)
  @ApiOperation({ summary: 'Take back what I allowed an agent' })
  @ApiNoContentResponse({ description: 'The agent is logged out.' })
  async revokeMyGrant(@Caller() caller: Principal, @Param('grant') id: string, @Actor() actor: ChangeAuthor): Promise<void> {
    if (!(await this.#grants.revoke(personOf(caller).id, id, actor))) throw new GatewayError('not_found', { detail: 'grant' });
  }
}

/** @throws GatewayError forbidden for tokens of programs, which are nobody */
function personOf(caller: Principal): Person {
  if (caller.kind !== 'person') throw new GatewayError('forbidden', { detail: 'no person' });
  return caller.person;
}
