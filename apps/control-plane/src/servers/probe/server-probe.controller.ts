import type { AddressGuard } from '@gatehouse/egress';
import { Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Database } from '../../database/database.ts';
import { Caller } from '../../http/actor.ts';
import { Allow } from '../../http/allow.ts';
import type { Principal } from '../../identity/principal.ts';
import { CompleteServers } from '../complete-servers.service.ts';
import { describeApi } from '../tools/describe-api.ts';
import { findServerTools } from '../tools/server-tools.store.ts';
import { addressGuardToken } from './address-guard.provider.ts';
import { discoverServer } from './discover-server.ts';
import { ProbeContexts } from './probe-contexts.service.ts';
import type { Discovery, TestReport } from './probe-results.ts';
import { ServerDiscovery, ServerTest } from './server-probe.dto.ts';
import { testServer } from './test-server.ts';

/** What calls upstreams from the control plane: for administrators only, through the address guard. */
@ApiTags('servers')
@Controller('v1/workspaces/:workspace/servers/:server')
@Allow('admin')
export class ServerProbeController {
  readonly #servers: CompleteServers;
  readonly #contexts: ProbeContexts;
  readonly #database: Database;
  readonly #guard: AddressGuard;

  constructor(servers: CompleteServers, contexts: ProbeContexts, database: Database, @Inject(addressGuardToken) guard: AddressGuard) {
    this.#servers = servers;
    this.#contexts = contexts;
    this.#database = database;
    this.#guard = guard;
  }

  @Post('test')
  @HttpCode(200)
  @ApiOperation({ summary: 'Connect to the upstream of a server with its stored configuration, and say what happened at each step' })
  @ZodResponse({ status: 200, description: 'Every step; the outcome is failed where one of them failed.', type: ServerTest })
  async testServer(@Caller() caller: Principal, @Param('workspace') workspace: string, @Param('server') idOrName: string): Promise<TestReport> {
    const found = await this.#servers.complete(workspace, idOrName);
    return testServer(found.server, { guard: this.#guard, context: await this.#contexts.of(found, caller) });
  }

  @Post('discover')
  @HttpCode(200)
  @ApiOperation({ summary: 'List what the upstream of a server offers: tools, resources, prompts; of an API, the tools that were made of it' })
  @ZodResponse({ status: 200, description: 'What the upstream says of itself.', type: ServerDiscovery })
  async discoverServer(@Caller() caller: Principal, @Param('workspace') workspace: string, @Param('server') idOrName: string): Promise<Discovery> {
    const found = await this.#servers.complete(workspace, idOrName);
    if (found.server.type === 'api') return describeApi(found.server, await findServerTools(this.#database.sql, found.id));
    return discoverServer(found.server, { guard: this.#guard, context: await this.#contexts.of(found, caller) });
  }
}
