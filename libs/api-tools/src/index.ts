export { type ApiBody, type ApiOperation, apiOperation, type ApiParameter } from './api-operation.ts';
export { ArgumentError } from './argument-error.ts';
