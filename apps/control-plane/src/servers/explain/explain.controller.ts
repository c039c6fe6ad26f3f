import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Allow } from '../../http/allow.ts';
import { ChangesNothing } from '../../idempotency/changes-nothing.ts';
import { ExplainInputDto, ExplanationOutput } from './explain.dto.ts';
import { ExplainService } from './explain.service.ts';
import type { Explanation } from './explanation.ts';

/** What shows of stored credentials where they go and how they end, and fetches key sets: for administrators only, as what calls upstreams is. */
@ApiTags('servers')
@Controller('v1/workspaces/:workspace/servers/:server')
@Allow('admin')
export class ExplainController {
  readonly #service: ExplainService;

  constructor(service: ExplainService) {
    this.#service = service;
  }

  @Post('explain')
  @HttpCode(200)
  @ChangesNothing()
  @ApiOperation({ summary: 'Say which headers of a request would leave for the upstream of a server, and why; nothing is sent' })
  @ApiBody({ type: ExplainInputDto })
  @ZodResponse({ status: 200, description: 'What would leave, with a verdict for every header.', type: ExplanationOutput })
  explainRequest(@Param('workspace') workspace: string, @Param('server') idOrName: string, @Body() body: unknown): Promise<Explanation> {
    return this.#service.explain({ workspace, idOrName }, body);
  }
}
