import { applyDecorators } from '@nestjs/common';
import { ApiQuery } from '@nestjs/swagger';
import { connectionStates } from './connection.dto.ts';

/** Documents the parameters that `readConnectionQuery` reads. */
export const ApiConnectionFilters = (): MethodDecorator =>
  applyDecorators(
    ApiQuery({ name: 'app', required: false, schema: { type: 'string' }, description: 'Name or id of the app, or of the server that was discovered.' }),
    ApiQuery({ name: 'state', required: false, schema: { type: 'string', enum: [...connectionStates] } }),
  );
