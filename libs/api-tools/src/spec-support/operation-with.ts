import type { ApiOperation } from '../api-operation.ts';

/** An operation for specs. */
export const operationWith = (fields: Partial<ApiOperation>): ApiOperation => ({
  name: 'paint',
  method: 'GET',
  path: '/x',
  parameters: [],
  accept: 'application/json',
  inputSchema: { type: 'object' },
  annotations: {},
  ...fields,
});
