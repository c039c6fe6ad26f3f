import type { AddressGuard } from '@gatehouse/egress';
import { Controller, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Allow } from '../../http/allow.ts';
import { CompleteServers } from '../complete-servers.service.ts';
import { addressGuardToken } from './address-guard.provider.ts';
import { discoverServer } from './discover-server.ts';
import type { Discovery, TestReport } from './probe-results.ts';
import { ServerDiscovery, ServerTest } from './server-probe.dto.ts';
import { testServer } from './test-server.ts';

/** What calls upstreams from the control plane: for administrators only, through the address guard. */
@ApiTags('servers')
@Controller('v1/workspaces/:workspace/servers/:server')
@Allow('admin')
export class ServerProbeController {
  readonly #servers: CompleteServers;
  readonly #guard: AddressGuard;

  constructor(servers: CompleteServers, @Inject(addressGuardToken) guard: AddressGuard) {
    this.#servers = servers;
    this.#guard = guard;
  }

  @Post('test')
  @HttpCode(200)
  @ApiOperation({ summary: 'Connect to the upstream of a server with its stored configuration, and say what happened at each step' })
  @ZodResponse({ status: 200, description: 'Every step; the outcome is failed where one of them failed.', type: ServerTest })
  async testServer(@Param('workspace') workspace: string, @Param('server') idOrName: string): Promise<TestReport> {
    const { server } = await this.#servers.complete(workspace, idOrName);
    return testServer(server, { guard: this.#guard });
  }

  @Post('discover')
  @HttpCode(200)
  @ApiOperation({ summary: 'List what the upstream of a server offers: tools, resources, prompts' })
  @ZodResponse({ status: 200, description: 'What the upstream says of itself.', type: ServerDiscovery })
  async discoverServer(@Param('workspace') workspace: string, @Param('server') idOrName: string): Promise<Discovery> {
    const { server } = await this.#servers.complete(workspace, idOrName);
    return discoverServer(server, { guard: this.#guard });
  }
}
