import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiQuery, ApiTags } from '@nestjs/swagger';
import { ZodResponse } from 'nestjs-zod';
import { Actor, type ChangeAuthor } from '../http/actor.ts';
import { Allow } from '../http/allow.ts';
import { ApiPage } from '../http/api-page.ts';
import { queryText, readPageQuery } from '../http/page.ts';
import { DataKeyPage, type DataKeys, type RequestedRotations, RequestedRotationsOutput, RotationRequestInput } from './data-key.dto.ts';
import { dataKeyPosition, VaultKeys } from './vault-keys.service.ts';

@ApiTags('vault')
@Controller('v1/vault/keys')
@Allow('admin')
export class VaultKeysController {
  readonly #keys: VaultKeys;

  constructor(keys: VaultKeys) {
    this.#keys = keys;
  }

  @Get()
  @ApiOperation({ summary: 'List the data keys of the vault; never a key itself' })
  @ApiQuery({ name: 'workspace', required: false, schema: { type: 'string' }, description: 'Name or id of the workspace.' })
  @ZodResponse({ status: 200, description: 'Data keys, by owner and term.', type: DataKeyPage })
  @ApiPage()
  listDataKeys(@Query('workspace') workspace: unknown, @Query('limit') limit: unknown, @Query('cursor') cursor: unknown): Promise<DataKeys> {
    return this.#keys.list(queryText('workspace', workspace), readPageQuery(limit, cursor, dataKeyPosition));
  }

  @Post('rotate')
  @HttpCode(202)
  @ApiOperation({ summary: 'Rotate data keys: another one seals, what is sealed is sealed anew, and the old one is destroyed' })
  @ApiBody({ type: RotationRequestInput })
  @ZodResponse({ status: 202, description: 'It has begun, and goes on in the background.', type: RequestedRotationsOutput })
  rotateDataKeys(@Body() body: unknown, @Actor() actor: ChangeAuthor): Promise<RequestedRotations> {
    return this.#keys.rotate(body, actor);
  }
}
